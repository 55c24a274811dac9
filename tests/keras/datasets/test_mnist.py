"""mnist.load_data: where it looks, what it trusts, and what is left on the disk when something goes wrong."""

from __future__ import annotations

import hashlib
import io
import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hornbeam.keras.datasets import _store, mnist
from tests.faults import faults
from tests.keras.utils.loopback import Site

ARRAYS = {
    "x_train": np.arange(6 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(6, 28, 28),
    "y_train": np.array([5, 0, 4, 1, 9, 2], np.uint8),
    "x_test": np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28),
    "y_test": np.array([7, 2], np.uint8),
}


def packed(save=np.savez_compressed, **changed: np.ndarray) -> bytes:
    """The bytes of an .npz file with ARRAYS, some of them changed."""
    file = io.BytesIO()
    save(file, **{**ARRAYS, **changed})
    return file.getvalue()


GOOD = packed()


def with_header(header: str) -> bytes:
    """A file whose x_train has this header and hardly any data."""
    file = io.BytesIO(GOOD)
    names = ["y_train", "x_test", "y_test"]
    with zipfile.ZipFile(file) as old:
        kept = {f"{name}.npy": old.read(f"{name}.npy") for name in names}
    text = header.encode().ljust(117) + b"\n"
    kept["x_train.npy"] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(100)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, data in kept.items():
            new.writestr(name, data)
    return out.getvalue()


BROKEN = {
    "empty": (b"", "File is not a zip file"),
    "a web page": (b"<html>Sign in</html>", "File is not a zip file"),
    "half": (GOOD[: len(GOOD) // 2], "File is not a zip file"),
    "one label changed": (
        packed(y_train=np.array([5, 0, 4, 1, 9, 3], np.uint8)),
        "y_train has the SHA-256",
    ),
    "fewer pictures": (packed(x_test=ARRAYS["x_test"][:1]), r"shape \(1, 28, 28\)"),
    "another type": (packed(y_test=np.array([7, 2])), "type int64"),
    "pickled objects": (packed(y_test=np.array([7, None], object)), "type object"),
    "a missing array": (
        packed(lambda file, **arrays: np.savez(file, x_train=arrays["x_train"])),
        "no item named 'y_train.npy'",
    ),
    "a header that promises terabytes": (
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28), }"),
        r"shape \(1000000000000, 28\)",
    ),
    "data that ends early": (
        with_header("{'descr': '|u1', 'fortran_order': False, 'shape': (6, 28, 28), }"),
        "x_train ends after 100 of 4704 bytes",
    ),
    "an array that unpacks to too much": (
        packed(y_test=np.zeros(100000, np.uint8)),
        "y_test unpacks to more than the 2 bytes",
    ),
    "a header that is code": (with_header("__import__('os').getcwd()"), "not the MNIST file"),
}


@pytest.fixture
def home(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without data: an empty cache, no folder of one's own, and a small MNIST on the loopback."""
    contents = {
        name: _store.Content(array.shape, hashlib.sha256(array.tobytes()).hexdigest())
        for name, array in ARRAYS.items()
    }
    site.files["/mnist.npz"] = GOOD
    monkeypatch.setattr(
        mnist, "ARCHIVE", _store.Archive("MNIST", f"{site.url}/mnist.npz", contents)
    )
    monkeypatch.delenv("HORNBEAM_DATASETS", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


@pytest.fixture
def cached(home: Path) -> Path:
    """Where the cached file lies, in a folder that exists."""
    folder = home / "keras" / "datasets"
    folder.mkdir(parents=True)
    return folder / "mnist.npz"


def assert_loads(path: str | None = None) -> None:
    (x_train, y_train), (x_test, y_test) = mnist.load_data(path) if path else mnist.load_data()
    found = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for name, array in found.items():
        assert type(array) is np.ndarray and array.dtype == np.uint8
        np.testing.assert_array_equal(array, ARRAYS[name])
        array[:1] = 0  # it is the caller's own


def test_real_mnist(mnist_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HORNBEAM_DATASETS", str(mnist_file.parent))
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert (x_train.shape, y_train.shape) == ((60000, 28, 28), (60000,))
    assert (x_test.shape, y_test.shape) == ((10000, 28, 28), (10000,))
    assert {each.dtype for each in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]


def test_downloads_once_into_the_cache_of_keras(home: Path, site: Site, capsys):
    assert_loads()
    assert os.listdir(home / "keras" / "datasets") == ["mnist.npz"]
    assert (home / "keras" / "datasets" / "mnist.npz").read_bytes() == GOOD
    assert_loads()
    assert site.asked == ["/mnist.npz"]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"Downloading {site.url}/mnist.npz (")
    assert "\r" not in shown.err  # no terminal: plain lines


def test_the_cache_is_in_the_home_folder_by_default(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(home))
    assert_loads()
    assert (home / ".keras" / "datasets" / "mnist.npz").exists()


def test_ones_own_folder_comes_first(
    home: Path, cached: Path, site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HORNBEAM_DATASETS", str(home))
    cached.write_bytes(b"not looked at")
    (home / "mnist.npz").write_bytes(packed(np.savez))  # packed anew: same arrays, other bytes
    assert_loads()
    assert cached.read_bytes() == b"not looked at"
    assert site.asked == []


def test_a_folder_of_ones_own_without_the_file_is_passed_over(
    home: Path, cached: Path, site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HORNBEAM_DATASETS", str(home / "none"))
    cached.write_bytes(GOOD)
    assert_loads()
    assert site.asked == []


def test_path_may_be_another_name_or_a_whole_path(home: Path, cached: Path, site: Site):
    cached.with_name("digits.npz").write_bytes(GOOD)
    assert_loads("digits.npz")
    (home / "here.npz").write_bytes(GOOD)
    assert_loads(str(home / "here.npz"))
    assert site.asked == []
    assert_loads(str(home / "new" / "there.npz"))
    assert (home / "new" / "there.npz").read_bytes() == GOOD


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_of_ones_own_is_an_error_and_stays(
    kind: str, home: Path, site: Site, monkeypatch: pytest.MonkeyPatch
):
    data, text = BROKEN[kind]
    file = home / "mnist.npz"
    file.write_bytes(data)
    monkeypatch.setenv("HORNBEAM_DATASETS", str(home))
    with pytest.raises(ValueError, match=text) as caught:
        mnist.load_data()
    assert str(file) in str(caught.value) and "replace it by http" in str(caught.value)
    with pytest.raises(ValueError, match=text):
        mnist.load_data(str(file))
    assert file.read_bytes() == data
    assert site.asked == []


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_in_the_cache_is_set_aside_and_replaced(kind: str, cached: Path, capsys):
    data, _ = BROKEN[kind]
    cached.write_bytes(data)
    assert_loads()
    assert cached.read_bytes() == GOOD
    assert (cached.parent / "mnist.npz.broken").read_bytes() == data
    assert f"{cached} is not the MNIST file it should be" in capsys.readouterr().err


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_download_is_not_kept(kind: str, cached: Path, site: Site):
    data, text = BROKEN[kind]
    site.files["/mnist.npz"] = data
    with pytest.raises(OSError, match=text):
        mnist.load_data()
    assert os.listdir(cached.parent) == []


def test_no_file_with_one_changed_byte_is_believed(cached: Path):
    """Either the byte does not matter to the arrays, or the file is refused: never other arrays, never a crash."""
    choose = random.Random(0)
    refused = 0
    archive = mnist.ARCHIVE
    for _ in range(1000):
        data = bytearray(GOOD)
        data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
        cached.write_bytes(data)
        try:
            found = _store.read(archive, str(cached))
        except ValueError:
            refused += 1
        else:
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(found[name], array)
    assert refused > 100


@pytest.mark.parametrize(
    "trouble", ["refused", "not found", "broken off", "broken off, unannounced"]
)
def test_without_a_download_the_error_says_all_that_was_tried(
    trouble: str, home: Path, cached: Path, site: Site, monkeypatch: pytest.MonkeyPatch
):
    reason = {
        "refused": "Connection refused",
        "not found": "404",
        "broken off": "broke off after",
        "broken off, unannounced": "not a zip file",
    }[trouble]
    url = f"{site.url}/mnist.npz"
    if trouble == "refused":
        url = "http://127.0.0.1:1/mnist.npz"  # a reserved port, on which nothing listens
        monkeypatch.setattr(mnist, "ARCHIVE", _store.Archive("MNIST", url, mnist.ARCHIVE.arrays))
    elif trouble == "not found":
        del site.files["/mnist.npz"]
    else:
        site.missing = 100
        site.announced = "unannounced" not in trouble
    with pytest.raises(OSError, match=reason) as caught:
        mnist.load_data()
    text = str(caught.value)
    assert "HORNBEAM_DATASETS: not set" in text
    assert f"{cached}: no such file" in text
    assert f"fetch {url}" in text and f"save it as {cached}" in text
    assert os.listdir(cached.parent) == []


def test_a_broken_cache_and_no_network_are_both_told(cached: Path, site: Site):
    cached.write_bytes(GOOD[:-30])
    site.files.clear()
    with pytest.raises(OSError, match="404") as caught:
        mnist.load_data()
    assert f"{cached}: broken, now {cached}.broken" in str(caught.value)
    assert os.listdir(cached.parent) == ["mnist.npz.broken"]


@pytest.mark.parametrize("old", [None, b"broken"])
def test_whatever_write_fails_the_file_is_whole_or_not_there(old, cached: Path):
    """The n-th write, sync or rename fails, for n = 1, 2, ... until none does."""
    for fault in faults():
        for left in cached.parent.iterdir():
            left.unlink()
        if old:
            cached.write_bytes(old)
        with fault:
            try:
                assert_loads()
            except OSError as error:
                assert "No space left on device" in str(error)
        found = cached.read_bytes() if cached.exists() else None
        assert found in (GOOD, old, None)
        left = set(os.listdir(cached.parent))
        assert left <= {"mnist.npz", "mnist.npz.broken"}
    assert found == GOOD


def test_ctrl_c_in_a_download_leaves_nothing(cached: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_store, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mnist.load_data()
    assert os.listdir(cached.parent) == []
