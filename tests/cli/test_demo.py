"""The demo: it trains, says how well, leaves two pictures and a model behind, and another process reads with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.cli import demo, pictures


def drawn(n: int = 192) -> tuple:
    """A stand-in for a data set: bright squares at ten places."""
    labels = np.arange(n, dtype="uint8") % 10
    images = np.zeros((n, 28, 28), "uint8")
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 6, 4:24] = 255
    return (images, labels), (images, labels)


def no_mnist():
    raise OSError("mnist.npz: not here, and no network")


@pytest.fixture
def is_png():
    return lambda path: path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_trains_reports_draws_and_saves(tmp_path: Path, monkeypatch, capfd, is_png):
    monkeypatch.setattr(keras.datasets.mnist, "load_data", drawn)
    assert demo.main(["--out", str(tmp_path / "new"), "--epochs", "1", "--images", "96"]) == 0
    printed = capfd.readouterr().out
    assert "A new process loads it and reads " in printed and "of 16 images" in printed
    assert "Training on 96 images of MNIST" in printed
    assert "Test accuracy: " in printed
    assert is_png(tmp_path / "new" / "digits.png") and is_png(tmp_path / "new" / "curves.png")


def test_a_model_is_read_with(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(keras.datasets.mnist, "load_data", drawn)
    demo.build().save(tmp_path / "digits.keras")
    assert demo.main(["--read", str(tmp_path / "digits.keras"), "--images", "96"]) == 0
    assert "where these were written:        0 1 2 3 4 5 6 7 8 9 0 1 ..." in capsys.readouterr().out


def test_says_so_when_mnist_cannot_be_had(monkeypatch, capsys):
    monkeypatch.setattr(keras.datasets.mnist, "load_data", no_mnist)
    monkeypatch.setattr(keras.datasets.digits, "load_data", drawn)
    data = demo.load(images=60)
    printed = capsys.readouterr().out
    assert "MNIST cannot be had here" in printed and "no network" in printed
    assert data.name == "drawn digits"
    assert data.x_train.shape == (60, 28, 28, 1) and data.x_test.shape == (10, 28, 28, 1)
    assert data.x_train.dtype == np.float32 and data.x_train.max() == 1.0


def test_a_stop_by_the_user_is_no_traceback(tmp_path: Path, monkeypatch, capsys):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", stop)
    assert demo.main([]) == 130
    assert "Stopped" in capsys.readouterr().out


def test_a_missing_matplotlib_is_said_before_the_training(monkeypatch, capsys):
    def check():
        raise ImportError("needs 'matplotlib'")

    monkeypatch.setattr(pictures, "check", check)
    monkeypatch.setattr(demo, "run", lambda *args: pytest.fail("trained"))
    with pytest.raises(SystemExit) as exit_:
        demo.main([])
    assert exit_.value.code == 1
    assert capsys.readouterr().err == "needs 'matplotlib'\n"


def test_refuses_a_number_of_epochs_below_one(capsys):
    with pytest.raises(SystemExit):
        demo.main(["--epochs", "0"])
    assert "at least 1, received 0" in capsys.readouterr().err


@pytest.mark.parametrize("mistakes", [0, 3])
def test_digits_are_drawn_with_and_without_mistakes(tmp_path: Path, is_png, mistakes: int):
    images, labels = np.zeros((20, 28, 28, 1)), np.arange(20) % 10
    probabilities = np.eye(10)[(labels + (np.arange(20) < mistakes)) % 10]
    path = pictures.digits(tmp_path / "d.png", images, labels, probabilities, "title")
    assert is_png(path)
