"""The notes' example, a network that reads handwritten digits: it trains, reports and ends as shown there."""

from __future__ import annotations

import re

import pytest

from tests.notes import snippets
from tests.notes.conftest import Run

pytestmark = pytest.mark.usefixtures("mnist_file")

NUMBER = r"\d+\.\d+(?:e-?\d+)?"
# "1875/1875 ━━━━━━━━━━━━━━━━━━━━ 15s 8ms/step - accuracy: 0.9579 - loss: 0.1388 - val_accuracy: ...";
# the bar is drawn on a terminal only.
LINE = re.compile(rf"(\d+)/(\d+) .*?\d+s \d+[mu]?s/step((?: - \w+: {NUMBER})+)$")


def last_states(output: str) -> list[tuple[int, dict[str, float]]]:
    """Steps and values of each progress line in its last state."""
    found = []
    for line in output.splitlines():
        match = LINE.search(line.rpartition("\r")[2].replace("\b", ""))
        if match and match[1] == match[2]:
            values = {k: float(v) for k, v in re.findall(rf"(\w+): ({NUMBER})", match[3])}
            found.append((int(match[1]), values))
    return found


def check(output: str, epochs: int, steps: int, test_steps: int) -> tuple[float, float]:
    """Assert that the output has the notes' shape; the accuracy of the last epoch's training, and of the test."""
    assert re.findall(r"^Epoch (\d+)/(\d+)$", output, re.M) == [
        (str(epoch), str(epochs)) for epoch in range(1, epochs + 1)
    ]
    *fits, evaluation = last_states(output)
    assert [count for count, _ in fits] == [steps] * epochs
    assert evaluation[0] == test_steps
    fit_names = {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(set(values) == fit_names for _, values in fits)
    assert set(evaluation[1]) == {"loss", "accuracy"}
    # The validation of the last epoch and the evaluation saw the same data with the same weights.
    last, seen = fits[-1][1], evaluation[1]
    assert (last["val_loss"], last["val_accuracy"]) == (seen["loss"], seen["accuracy"])
    rounded = re.search(r"^Độ chính xác trên tập test: (\d\.\d\d)$", output.splitlines()[-1])
    assert rounded is not None
    assert abs(float(rounded[1]) - seen["accuracy"]) <= 0.005 + 1e-9
    return last["accuracy"], seen["accuracy"]


def test_small_variant(run: Run) -> None:
    load = "= tf.keras.datasets.mnist.load_data()\n"
    less = "X_train, y_train, X_test, y_test = X_train[:6400], y_train[:6400], X_test[:1000], y_test[:1000]\n"
    script = (
        snippets.as_copied(snippets.EXAMPLE)
        .replace(load, load + less)
        .replace("epochs=5", "epochs=2")
    )
    assert script.count(less) == script.count("epochs=2") == 1
    done = run(script)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    # The real Keras reaches 0.93 to 0.95 on this little.
    _, tested = check(done.stdout, epochs=2, steps=200, test_steps=32)
    assert tested > 0.9


@pytest.mark.slow
def test_verbatim(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of MNIST, five epochs. The script sets no seed, the environment does.

    The notes show 0.9905 in the test. That is luck, with a deviation of 0.002, and a processor that adds in another order
    draws anew: seeds 0 to 8 gave 0.9844 to 0.9914, Keras on TensorFlow 0.9856 to 0.9899 with seeds 0 to 4. The accuracy
    of the last epoch's training is steadier, and says more: 0.9935 to 0.9946, Keras on JAX 0.9941 (on TensorFlow up to
    0.9954, for there a seed repeats the first epoch's order in all: so do we with `shuffle=False`, 0.9947 to 0.9950).
    """
    monkeypatch.setenv("HORNBEAM_SEED", "2")
    done = run(snippets.as_copied(snippets.EXAMPLE))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    trained, tested = check(done.stdout, epochs=5, steps=1875, test_steps=313)
    assert 0.992 <= trained <= 0.996
    assert tested >= 0.982
