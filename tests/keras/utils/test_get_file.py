"""get_file: the same places as Keras's, nothing unchecked kept, nothing written outside of its folder."""

from __future__ import annotations

import hashlib
import inspect
import io
import os
import shutil
import stat
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras as peer
import pytest

from hornbeam.keras import utils
from hornbeam.keras.utils import download as downloading
from tests.keras.utils.loopback import Site

HELLO = b"hello"
SHA256 = hashlib.sha256(HELLO).hexdigest()
MD5 = hashlib.md5(HELLO).hexdigest()


def tarred(name: str = "inner/a.txt", mode: str = "w:gz", **fields: object) -> bytes:
    """A tar file with one good member and one with this name and these fields of TarInfo."""
    return tarred_all(("good.txt", {}), (name, fields), mode=mode)


def tarred_all(*members: tuple[str, dict[str, object]], mode: str = "w:gz") -> bytes:
    """A tar file with members of these names and fields of TarInfo."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for each, changes in members:
            member = tarfile.TarInfo(each)
            for key, value in changes.items():
                setattr(member, key, value)
            member.size = len(HELLO) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(HELLO))
    return file.getvalue()


def zipped(name: str = "inner/a.txt", attributes: int = 0) -> bytes:
    """A zip file with one good member and one with this name and these file attributes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("good.txt", HELLO)
        member = zipfile.ZipInfo(name)
        member.external_attr = attributes << 16
        archive.writestr(member, HELLO)
    return file.getvalue()


def files_below(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.fixture
def get(site: Site, tmp_path: Path) -> Callable[..., str]:
    """get_file with a fresh cache, from the loopback server."""
    site.files["/hello.txt"] = HELLO

    def call(name: str = "hello.txt", **kwargs: object) -> str:
        kwargs.setdefault("origin", f"{site.url}/{name}")
        path = utils.get_file(cache_dir=tmp_path / "cache", **kwargs)
        return os.path.relpath(path, tmp_path / "cache")

    return call


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_the_signature_is_that_of_keras():
    def plain(function):
        return [
            (each.name, each.default) for each in inspect.signature(function).parameters.values()
        ]

    assert plain(utils.get_file) == plain(peer.utils.get_file)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "datasets/hello.txt"),
        ({"fname": "x.txt"}, "datasets/x.txt"),
        ({"cache_subdir": "models/small"}, "models/small/hello.txt"),
        ({"cache_subdir": ""}, "hello.txt"),
        ({"name": "hello.txt?version=2"}, "datasets/hello.txt"),
    ],
)
def test_where_a_file_goes(get, cache: Path, options, path):
    assert get(**options) == path
    assert (cache / path).read_bytes() == HELLO
    assert files_below(cache) == [path]


def test_the_cache_of_keras_is_the_default(site: Site, tmp_path: Path, monkeypatch):
    site.files["/hello.txt"] = HELLO
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    path = utils.get_file(origin=f"{site.url}/hello.txt")
    assert path == str(tmp_path / "home" / "datasets" / "hello.txt")


@pytest.mark.parametrize(
    "options",
    [
        {"file_hash": SHA256},
        {"file_hash": SHA256.upper()},
        {"file_hash": SHA256, "hash_algorithm": "sha256"},
        {"file_hash": hashlib.sha512(HELLO).hexdigest()},
        {"file_hash": MD5},
        {"md5_hash": MD5},
    ],
)
def test_a_right_hash(get, site: Site, options):
    get(**options)
    get(**options)
    assert len(site.asked) == 1


@pytest.mark.parametrize("options", [{"file_hash": "0" * 64}, {"md5_hash": "0" * 32}])
def test_a_wrong_hash_keeps_nothing(get, cache: Path, options):
    with pytest.raises(ValueError, match=r"expected 000.* It was not kept"):
        get(**options)
    assert files_below(cache) == []


def test_a_cached_file_is_replaced_only_where_it_has_another_hash(get, cache: Path, site: Site):
    get()
    (cache / "datasets" / "hello.txt").write_bytes(b"older")
    get()
    assert (cache / "datasets" / "hello.txt").read_bytes() == b"older"
    get(file_hash=SHA256)
    assert (cache / "datasets" / "hello.txt").read_bytes() == HELLO
    assert len(site.asked) == 2
    get(force_download=True)
    assert len(site.asked) == 3


def test_a_failed_download_leaves_the_old_file(get, cache: Path, site: Site):
    get()
    site.missing = 2
    with pytest.raises(OSError, match="broke off after 3 of 5 bytes"):
        get(force_download=True)
    assert (cache / "datasets" / "hello.txt").read_bytes() == HELLO
    assert files_below(cache) == ["datasets/hello.txt"]


def test_what_cannot_be_fetched_is_named(get, cache: Path):
    with pytest.raises(OSError, match=r"Downloading http://.*/none.txt failed: .*404"):
        get("none.txt")
    with pytest.raises(OSError, match=r"http://127.0.0.1:1/x failed: .*refused"):
        get(origin="http://127.0.0.1:1/x")
    with pytest.raises(OSError, match=r"nonsense://x/y failed: .*unknown url type"):
        get(origin="nonsense://x/y")
    assert files_below(cache) == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"origin": None}, "origin, the address of the file to download, is missing"),
        ({"fname": "a/b"}, "must be a file name without folders, got 'a/b'"),
        ({"fname": "../b"}, "without folders"),
        ({"fname": ".."}, "without folders"),
        ({"fname": "/etc/b"}, "without folders"),
        ({"origin": "http://127.0.0.1:1/"}, "names no file. Give fname"),
        ({"origin": "http://127.0.0.1:1/%2e%2e"}, "names no file"),
        ({"hash_algorithm": "sha265"}, "Unknown hash_algorithm: 'sha265'. Did you mean 'sha256'"),
        ({"file_hash": "abc"}, "hexadecimal digits, got 'abc'"),
        ({"file_hash": SHA256, "hash_algorithm": "md5"}, "64 digits of sha256, but .* 'md5'"),
        ({"extract": True, "archive_format": "rar"}, "Unknown archive_format: 'rar'"),
        ({"extract": True}, "is no tar or zip archive"),
    ],
)
def test_wrong_arguments(get, options, text):
    with pytest.raises(ValueError, match=text):
        get(**options)


@pytest.mark.parametrize(
    ("name", "data", "options", "path", "archive"),
    [
        ("a.tar.gz", tarred(), {"extract": True}, "datasets/a.tar.gz", "a.tar.gz_archive"),
        ("a.tar", tarred(mode="w"), {"extract": True}, "datasets/a.tar", "a.tar_archive"),
        ("a.zip", zipped(), {"extract": True}, "datasets/a.zip", "a.zip_archive"),
        ("a.zip", zipped(), {"extract": True, "archive_format": ["tar", "zip"]}, "datasets/a.zip",
         "a.zip_archive"),
        ("a.zip", zipped(), {"extract": True, "fname": "a"}, "datasets/a", "a_archive"),
        ("a.tar.gz", tarred(), {"untar": True, "fname": "a"}, "datasets/a", "a_archive"),
        ("a.tar.gz", tarred(), {"untar": True}, "datasets/a.tar.gz", "a.tar.gz_archive"),
        ("a.tar.gz", tarred(), {"untar": True, "fname": "b.tar.gz"}, "datasets/b_extracted", "b.tar.gz"),
    ],
)  # fmt: skip
def test_archives_are_unpacked_where_keras_unpacks_them(
    get, site: Site, tmp_path: Path, cache: Path, name, data, options, path, archive
):
    site.files[f"/{name}"] = data
    assert get(name, **options) == path
    assert (cache / path / "inner" / "a.txt").read_bytes() == HELLO
    folder = Path(path).name
    expected = [
        f"datasets/{archive}",
        f"datasets/{folder}/good.txt",
        f"datasets/{folder}/inner/a.txt",
    ]
    assert files_below(cache) == sorted(expected)
    (tmp_path / "peer").mkdir()  # Keras goes elsewhere when it is not there
    theirs = peer.utils.get_file(
        origin=f"{site.url}/{name}", cache_dir=str(tmp_path / "peer"), **options
    )
    assert os.path.relpath(theirs, tmp_path / "peer") == path
    assert files_below(tmp_path / "peer") == files_below(cache)


def test_contents_are_unpacked_once_and_anew_after_a_new_download(get, site: Site, cache: Path):
    site.files["/a.zip"] = zipped()
    folder = cache / get("a.zip", extract=True)
    (folder / "good.txt").write_bytes(b"mine")
    get("a.zip", extract=True)
    assert (folder / "good.txt").read_bytes() == b"mine"
    site.files["/a.zip"] = zipped("other.txt")
    get("a.zip", extract=True, force_download=True)
    assert sorted(os.listdir(folder)) == ["good.txt", "other.txt"]


LINK, HARD, DEVICE = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE


def link(target: str, kind: bytes = LINK) -> dict[str, object]:
    return {"type": kind, "linkname": target}


def negative_size() -> bytes:
    """A header of which the next is, by its size, the same one again."""
    member = tarfile.TarInfo("again")
    header = bytearray(member.tobuf(format=tarfile.GNU_FORMAT))
    header[124:136] = (-512).to_bytes(12, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return tarred(mode="w:")[:2048] + bytes(header) + bytes(1024)


# A name that is long enough makes os.path.realpath stop following links: CVE-2025-4517.
_LONG = "d" * 247
_STEPS = "abcdefghijklmnop"
_LONG_WAY = [
    each
    for depth, step in enumerate(_STEPS)
    for each in (
        ("/".join([*_STEPS[:depth], _LONG]), {"type": tarfile.DIRTYPE}),
        ("/".join([*_STEPS[:depth], step]), link(_LONG)),
    )
]
_WAY_BACK = "/".join(_STEPS) + "/" + "l" * 254
DANGEROUS = {
    "tar: a parent": tarred("../evil.txt"),
    "tar: deep parents": tarred("a/../../evil.txt"),
    "tar: a link out": tarred("link", type=LINK, linkname="../../.."),
    "tar: an absolute link": tarred("link", type=LINK, linkname="/etc"),
    "tar: a hard link out": tarred("link", type=HARD, linkname="../../secret"),
    "tar: a device": tarred("null", type=DEVICE, devmajor=1, devminor=3),
    "tar: a pipe": tarred("pipe", type=tarfile.FIFOTYPE),
    "tar: a link through a link": tarred_all(("a/b", link("..")), ("c", link("a/b/../.."))),
    "tar: more links than a system follows": tarred_all(
        *((f"link{i}", link(f"link{i + 1}")) for i in range(45))
    ),
    "tar: a link to itself": tarred_all(("a", link("a")), ("a/b", {})),
    "tar: a file through a link": tarred_all(("a", link("..")), ("a/evil.txt", {})),
    "tar: a file through a later link": tarred_all(("a/evil.txt", {}), ("a", link(".."))),
    "tar: a hard link to a link": tarred_all(("a", link("../secret")), ("b", link("a", HARD))),
    "tar: a hard link to nothing": tarred("b", **link("missing", HARD)),
    "tar: a long way out": tarred_all(
        *_LONG_WAY,
        (_WAY_BACK, link("../" * len(_STEPS))),
        ("escape", link(_WAY_BACK + "/../evil")),
        ("escape/evil.txt", {}),
    ),
    "tar: a folder of Windows": tarred("..\\evil.txt"),
    "tar: a file and a folder of one name": tarred_all(("a", {}), ("a/b", {})),
    "tar: a negative size": negative_size(),
    "zip: a parent": zipped("../evil.txt"),
    "zip: deep parents": zipped("a/../../evil.txt"),
    "zip: absolute": zipped("/evil.txt"),
    "zip: a folder of Windows": zipped("..\\evil.txt"),
    "zip: a link": zipped("link", attributes=stat.S_IFLNK | 0o777),
    "tar: cut": tarred()[:-20],
    "zip: a changed byte": zipped().replace(HELLO, b"hallo", 1),
}


@pytest.mark.parametrize("kind", DANGEROUS)
def test_dangerous_and_damaged_archives_are_refused_whole(get, site: Site, cache: Path, kind):
    name = "a.tar.gz" if kind.startswith("tar") else "a.zip"
    site.files[f"/{name}"] = DANGEROUS[kind]
    with pytest.raises(ValueError, match=r"was not unpacked|is no tar or zip archive"):
        get(name, extract=True)
    assert files_below(cache.parent) == [f"cache/datasets/{name}_archive"]
    assert os.listdir(cache / "datasets") == [f"{name}_archive"]


def test_an_absolute_name_in_a_tar_file_stays_inside(get, site: Site, cache: Path):
    """As the tar command does, the data filter of PEP 706 drops the leading slash."""
    site.files["/a.tar.gz"] = tarred("/evil.txt")
    assert get("a.tar.gz", extract=True) == "datasets/a.tar.gz"
    assert (cache / "datasets" / "a.tar.gz" / "evil.txt").exists()


def test_links_that_stay_inside_are_kept(get, site: Site, cache: Path):
    site.files["/a.tar.gz"] = tarred_all(
        ("data/v1/x.txt", {}),
        ("./latest", link("data/v1")),
        ("latest/y.txt", {}),
        ("data/up", link("../latest/x.txt")),
        ("hard.txt", link("data/up", HARD)),
        ("dangling", link("data/missing")),
        ("empty/", {"type": tarfile.DIRTYPE}),
    )
    folder = cache / get("a.tar.gz", extract=True)
    assert sorted(os.listdir(folder)) == ["dangling", "data", "empty", "hard.txt", "latest"]
    assert sorted(os.listdir(folder / "latest")) == ["x.txt", "y.txt"]
    for name in ("latest/x.txt", "latest/y.txt", "data/up", "hard.txt"):
        assert (folder / name).read_bytes() == HELLO
    assert os.readlink(folder / "latest") == "data/v1"
    assert os.readlink(folder / "dangling") == "data/missing"
    assert os.path.samefile(folder / "hard.txt", folder / "data/v1/x.txt")


def test_of_a_name_that_comes_twice_the_last_counts(get, site: Site, cache: Path):
    site.files["/a.tar"] = tarred_all(("a", link("b")), ("./a", {}), mode="w:")
    folder = cache / get("a.tar", extract=True)
    assert not os.path.islink(folder / "a") and (folder / "a").read_bytes() == HELLO


@pytest.mark.parametrize(("mode", "kept"), [(0o4777, 0o755), (0o666, 0o644), (0, 0o644)])
def test_no_file_is_writable_for_others_or_set_uid(get, site: Site, cache: Path, mode, kept):
    site.files["/a.tar.gz"] = tarred_all(("a", {"mode": mode, "mtime": 1e9}))
    found = os.stat(cache / get("a.tar.gz", extract=True) / "a")
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (kept, 1e9)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_an_archive_for_which_the_disk_has_no_room(get, site: Site, cache: Path, name, monkeypatch):
    site.files[f"/{name}"] = tarred() if name == "a.tar.gz" else zipped()
    usage = shutil.disk_usage(cache.parent)._replace(free=9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match="needs 10 bytes and the disk has 9 left"):
        get(name, extract=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("announced", [True, False])
def test_a_terminal_gets_a_bar(get, site: Site, monkeypatch, announced):
    site.files["/big.bin"] = bytes(3_000_000)
    site.announced = announced
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(downloading, "REDRAW", 0.0)
    get("big.bin")
    text = screen.getvalue()
    assert ("[##############################] 100% 3.0 MB" in text) is announced
    assert text.endswith("\r3.0 MB received\x1b[K\n")


def test_other_outputs_get_plain_lines_and_stdout_nothing(get, site: Site, capsys):
    get()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"Downloading {site.url}/hello.txt (5 B)\n5 B received\n"


def test_a_program_without_a_screen_can_download(get, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert get() == "datasets/hello.txt"
