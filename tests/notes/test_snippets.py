"""The short scripts of the course notes, unchanged, print what the notes show."""

from __future__ import annotations

import re

import pytest

from tests.notes import snippets
from tests.notes.conftest import Run

pytestmark = pytest.mark.usefixtures("mnist_file")

PRINTS = {
    "shape": (snippets.SHAPE, snippets.SHAPE_PRINTS),
    "load": (snippets.LOAD, snippets.LOAD_PRINTS),
    "reshape": (snippets.RESHAPE, snippets.RESHAPE_PRINTS),
    "channel": (snippets.SHAPE + snippets.CHANNEL + "print(x_test.shape)\n",
                snippets.SHAPE_PRINTS + "(10000, 28, 28, 1)\n"),
    "one_hot": (snippets.ONE_HOT, snippets.ONE_HOT_PRINTS),
    "one_hot_copied": (snippets.as_copied(snippets.ONE_HOT), snippets.ONE_HOT_PRINTS),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTS)
def test_snippet_prints_what_the_notes_show(run: Run, name: str) -> None:
    script, prints = PRINTS[name]
    if "matplotlib" in script:
        pytest.importorskip("matplotlib.pyplot")
    done = run(script)
    assert done.stdout == prints
    assert (done.returncode, done.stderr) == (0, "")


def test_picture_of_the_first_digit(run: Run) -> None:
    # Imported here too: on a fresh machine its first import writes about its font cache.
    pytest.importorskip("matplotlib.pyplot")
    done = run(snippets.PICTURE)
    assert (done.returncode, done.stdout) == (0, "")
    # Without a screen Matplotlib says that it cannot show; that is all that is said.
    said = re.sub(
        r".*UserWarning: FigureCanvasAgg is non-interactive.*\n.*plt.show\(\)\n", "", done.stderr
    )
    assert said == ""


def test_picture_is_what_was_loaded(run: Run) -> None:
    """The image that the notes call a handwritten 5 arrives in the figure as it is in the file."""
    pytest.importorskip("matplotlib.pyplot")
    look = "shown = plt.gca().images[0].get_array()\nprint(shown.shape, int(shown.sum()), y_train[0])\n"
    done = run(snippets.PICTURE.replace("plt.show()\n", look))
    assert done.stdout == "(28, 28) 27525 5\n"
