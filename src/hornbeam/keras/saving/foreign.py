"""What a file is that holds no model: people pass files of other libraries, pages of errors, and parts of checkpoints.

Files are told by their first bytes; nothing of them is read further, unpickled or run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

# The first bytes of a file of each kind, and how it is told in an error: what it is, and what to do.
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "it is a pointer of Git LFS, not the file itself: run `git lfs pull`."),
    (b"\x93NUMPY", "it is an array of NumPy: read it with numpy.load, and set it with model.set_weights."),
    (b"\x1f\x8b", "it is compressed with gzip: unpack it, and give what is in it."),
    (b"BZh", "it is compressed with bzip2: unpack it, and give what is in it."),
    (b"\xfd7zXZ", "it is compressed with xz: unpack it, and give what is in it."),
    (b"7z\xbc\xaf", "it is an archive of 7-Zip: unpack it, and give what is in it."),
    (b"Rar!", "it is a RAR archive: unpack it, and give what is in it."),
    (b"GGUF", "it is a model of llama.cpp (GGUF), which is not read."),
    (b"%PDF", "it is a PDF."),
)  # fmt: skip
_PICKLE = (
    "Pickles are never opened here, for they can run code: load it where it was made, and save what is in it with "
    "model.save('name.keras'), or its arrays as '.safetensors'."
)
_PAGE = (
    "it is a page of the web, not the file: the download got an error or a login page. Download it again, from the address "
    "of the file itself."
)
_ONNX = (
    "it seems to be a model in ONNX, which is not read: save it with the framework that made it, its arrays as "
    "'.safetensors'."
)
_TFLITE = "it is a model of TensorFlow Lite, which is made from a model and can't be turned back: use the model itself."
_PARTS = ("saved_model.pb", "keras_metadata.pb", "fingerprint.pb")


def described(path: str, head: bytes) -> str:
    """Return what the file at `path`, which begins with `head`, is, to follow its name in an error.

    >>> described("m.h5", b"<!DOCTYPE html><html>")[:27]
    'it is a page of the web, no'
    """
    name = os.path.basename(path)
    if name in _PARTS:
        folder = os.path.dirname(path) or "."
        return f"it is one file of a SavedModel folder: give the folder, {folder!r}."
    if ".data-0" in name:
        prefix = path[: path.rindex(".data-0")]
        return f"it is a part of a checkpoint: make the model, then call model.load_weights({prefix!r})."
    for start, text in _STARTS:
        if head.startswith(start):
            return text
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return f"it is a pickle of Python, maybe of PyTorch, joblib or scikit-learn. {_PICKLE}"
    if head[4:8] == b"TFL3":
        return _TFLITE
    if head.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return _PAGE
    # The first field, the version, is a small number; the second is the producer's name or the graph.
    if head[:1] == b"\x08" and head[1:2] < b"\x20" and head[2:3] in (b"\x12", b"\x1a", b"\x3a"):
        return _ONNX
    return f"its content is of no known format. It begins with {head[:16]!r}."


def described_archive(names: Iterable[str]) -> str:
    """Return what a zip archive with these members is, if it is one of another library, to follow a sentence.

    >>> described_archive(["arr_0.npy"])
    ' It is an archive of arrays of NumPy: read it with numpy.load, and set them with model.set_weights.'
    """
    listed = list(names)
    if any(each.endswith("data.pkl") for each in listed):
        return f" It is a file of PyTorch, a pickle in an archive. {_PICKLE}"
    if listed and all(each.endswith(".npy") for each in listed):
        return " It is an archive of arrays of NumPy: read it with numpy.load, and set them with model.set_weights."
    inside = [each for each in listed if each.endswith((".keras", ".h5", ".hdf5", *_PARTS))]
    if inside:
        return f" It is a zip archive with {inside[0][:100]!r} in it: unpack it, and give what is in it."
    return ""
