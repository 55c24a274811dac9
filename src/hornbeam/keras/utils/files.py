"""get_file: a file from the network, kept in the cache that is shared with Keras."""

from __future__ import annotations

import hashlib
import os
import sys
import urllib.parse
from collections.abc import Iterable

from hornbeam.core.errors import unknown_name
from hornbeam.keras.utils.archives import extract_archive
from hornbeam.keras.utils.download import download

__all__ = ["get_file", "keras_home"]

ALGORITHMS = {32: "md5", 64: "sha256", 128: "sha512"}  # by the number of hexadecimal digits
BLOCK = 1 << 20


def keras_home() -> str:
    """The folder where Keras, and Hornbeam with it, keeps files: `KERAS_HOME`, or `~/.keras`."""
    return os.path.expanduser(os.environ.get("KERAS_HOME") or os.path.join("~", ".keras"))


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Iterable[str] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """The path of a file that is downloaded from `origin` unless the cache has it already.

    The file is `cache_dir/cache_subdir/fname`. It is written whole or not at all and, where a hash is given, only after
    the hash was found right; a cached file with another hash is replaced. With `extract`, the archive is kept as
    `fname + "_archive"`, and `fname` is the folder of its contents, as in Keras.

    Args:
        fname: name in the cache, without folders; the last part of `origin` by default.
        origin: address of the file.
        untar: older name of `extract` for tar files.
        md5_hash: older name of `file_hash` for MD5.
        file_hash: expected hash in hexadecimal digits. Give it: without one, whatever the server sends is taken.
        cache_subdir: folder below `cache_dir`.
        hash_algorithm: "md5", "sha256", "sha512", or "auto": by the length of `file_hash`.
        extract: unpack the file. Members that would leave the folder are refused.
        archive_format: "tar", "zip", a list of them, or "auto".
        cache_dir: `KERAS_HOME`, or `~/.keras`, by default.
        force_download: download even what is in the cache.

    Returns:
        The path of the file, or of the folder of its contents with `extract`.

    Raises:
        ValueError: for an `origin` that is missing or names no file, for folders in `fname`, for a downloaded file with
            another hash, and for an archive that is damaged or unsafe. OSError: when the download fails.

    >>> import os, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "notes.txt").write_text("hello")
    >>> path = get_file(origin=(folder / "notes.txt").as_uri(), cache_dir=folder)
    >>> os.path.relpath(path, folder), pathlib.Path(path).read_text()
    ('datasets/notes.txt', 'hello')
    """
    if origin is None:
        raise ValueError("get_file: origin, the address of the file to download, is missing.")
    name = _checked_name(fname, origin)
    expected, algorithm = _expected_hash(file_hash, md5_hash, hash_algorithm)
    folder = os.path.join(cache_dir or keras_home(), cache_subdir)
    path = os.path.join(folder, name)
    if untar and fname is not None and name.endswith(".tar.gz"):
        file, contents = path, f"{path.removesuffix('.tar.gz')}_extracted"  # as in Keras
    elif untar or extract:
        file, contents = f"{path}_archive", path
    else:
        file, contents = path, None

    fresh = force_download or not os.path.exists(file)
    if not fresh and expected and _hash_of(file, algorithm) != expected:
        _say(f"{file} has not the {algorithm} hash {expected}; it is downloaded again.")
        fresh = True
    if fresh:
        download(origin, file, check=lambda part: _check_hash(part, origin, expected, algorithm))
    if contents is None:
        return file
    if fresh or not os.path.isdir(contents):
        extract_archive(file, contents, "tar" if untar else archive_format)
    return contents


def _checked_name(fname: str | None, origin: str) -> str:
    if fname is not None:
        name = os.fspath(fname)
        if name != os.path.basename(name) or name in ("", ".", ".."):
            raise ValueError(
                f"get_file: fname must be a file name without folders, got {fname!r}. Choose the folder with cache_dir "
                "and cache_subdir."
            )
        return name
    name = os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(origin).path))
    if name in ("", ".", ".."):
        raise ValueError(f"get_file: the address {origin!r} names no file. Give fname.")
    return name


def _expected_hash(
    file_hash: str | None, md5_hash: str | None, algorithm: str
) -> tuple[str | None, str]:
    """The hash to find, in lower case, and its algorithm."""
    known = [*ALGORITHMS.values(), "auto"]
    if algorithm not in known:
        raise unknown_name("hash_algorithm", algorithm, known)
    if file_hash is None and md5_hash is not None:
        file_hash, algorithm = md5_hash, "md5"
    if file_hash is None:
        return None, "sha256"
    expected = file_hash.lower()
    by_length = ALGORITHMS.get(len(expected))
    if by_length is None or set(expected) - set("0123456789abcdef"):
        raise ValueError(
            f"get_file: file_hash must be 32 (md5), 64 (sha256) or 128 (sha512) hexadecimal digits, got {file_hash!r}."
        )
    if algorithm not in ("auto", by_length):
        raise ValueError(
            f"get_file: file_hash has the {len(expected)} digits of {by_length}, but hash_algorithm is {algorithm!r}."
        )
    return expected, by_length


def _hash_of(path: str, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _check_hash(path: str, origin: str, expected: str | None, algorithm: str) -> None:
    if expected is None:
        return
    found = _hash_of(path, algorithm)
    if found != expected:
        raise ValueError(
            f"The file from {origin} has the {algorithm} hash {found}, expected {expected}. It was not kept: either it "
            "is incomplete or altered, or the expected hash belongs to another version."
        )


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
