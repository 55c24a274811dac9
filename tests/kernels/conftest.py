"""What tests of native kernels in several files share."""

from __future__ import annotations

import pytest

from hornbeam.kernels import conv


@pytest.fixture
def every_size_of_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(conv, "pays", lambda multiplications: True)
