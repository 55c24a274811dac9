"""Errors of what a file describes are ValueErrors that name the file."""

import pytest

from hornbeam.keras.saving.described import described_in


@pytest.mark.parametrize(
    "error",
    [
        TypeError,
        KeyError,
        OverflowError,
        RecursionError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ],
)
def test_any_error_names_the_file(error):
    with pytest.raises(ValueError, match="a reason") as caught, described_in("x.keras"):
        raise error("a reason")
    assert "x.keras" in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
