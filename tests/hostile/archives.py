"""Attacks on the archive itself."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

from tests.hostile.attack import attack, good, zipfile_of, zipped

_ZEROS = bytes(1 << 20)


def _raw_zip(
    folder: Path,
    members: list[tuple[str, bytes, dict[str, int]]],
    comment: bytes = b"",
    count: int | None = None,
) -> Path:
    """Write an archive field by field; a member's dict replaces fields of its headers."""
    body, directory = b"", b""
    for name, data, changed in members:
        fields = {
            "flags": 0x800,
            "method": 0,
            "crc": zlib.crc32(data),
            "stored": len(data),
            "size": len(data),
            "place": len(body),
            "attributes": 0,
            **changed,
        }
        raw = name.encode()
        start = struct.pack(
            "<HHHHHIIIHH",
            20,
            fields["flags"],
            fields["method"],
            0,
            33,
            fields["crc"],
            fields["stored"] & 0xFFFFFFFF,
            fields["size"] & 0xFFFFFFFF,
            len(raw),
            0,
        )
        directory += b"PK\1\2" + struct.pack("<H", 20) + start
        directory += struct.pack("<HHHII", 0, 0, 0, fields["attributes"], fields["place"]) + raw
        body += b"PK\3\4" + start + raw + data
    count = len(members) if count is None else count
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), len(comment))
    path = folder / "m.keras"
    path.write_bytes(body + directory + b"PK\5\6" + end + comment)
    return path


def _members(**changed: dict[str, int]) -> list[tuple[str, bytes, dict[str, int]]]:
    by_name = {key.replace("_", "."): value for key, value in changed.items()}
    return [(name, data, by_name.get(name, {})) for name, data in good().items()]


def _deflated(count: int) -> bytes:
    """Return `count` megabytes of zeros, compressed; one piece is repeated, for to compress them all takes long."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(_ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * count + packer.flush()


@attack("config.json")
def config_of_a_gigabyte(folder: Path) -> Path:
    data = _deflated(1000)
    claimed = {"method": 8, "size": 1000 << 20, "crc": 0}
    members = [m for m in _members() if m[0] != "config.json"]
    return _raw_zip(folder, [*members, ("config.json", data, claimed)])


@attack("model.weights.h5")
def weights_of_two_gigabytes(folder: Path) -> Path:
    data = _deflated(2000)
    claimed = {"method": 8, "size": 2000 << 20, "crc": 0}
    members = [m for m in _members() if m[0] != "model.weights.h5"]
    return _raw_zip(folder, [*members, ("model.weights.h5", data, claimed)])


@attack("config.json")
def config_that_is_more_than_it_claims(folder: Path) -> Path:
    members = [m for m in _members() if m[0] != "config.json"]
    return _raw_zip(
        folder, [*members, ("config.json", _deflated(500), {"method": 8, "size": 900_000})]
    )


@attack("model.weights.h5")
def weights_that_are_more_than_they_claim(folder: Path) -> Path:
    members = [m for m in _members() if m[0] != "model.weights.h5"]
    bomb = ("model.weights.h5", _deflated(500), {"method": 8, "size": 900_000})
    return _raw_zip(folder, [*members, bomb])


@attack("assets/x")
def an_asset_of_a_gigabyte(folder: Path) -> Path:
    claimed = {"method": 8, "size": 1000 << 20, "crc": 0}
    return _raw_zip(folder, [*_members(), ("assets/x", _deflated(1000), claimed)])


@attack("m.keras")
def two_hundred_thousand_members(folder: Path) -> Path:
    path = folder / "m.keras"
    entry = b"PK\1\2" + bytes(42)
    path.write_bytes(b"PK\3\4" + bytes(60) + entry * 200_000)
    with path.open("ab") as file:
        size = 46 * 200_000
        file.write(
            b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, *[200_000] * 2, size, 64)
        )
        file.write(b"PK\6\7" + struct.pack("<IQI", 0, 64 + size, 1))
        file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, size, 64, 0))
    return path


@attack("config.json")
def config_twice(folder: Path) -> Path:
    return _raw_zip(folder, [*_members(), ("config.json", b"{}", {})])


@attack("model.weights.h5")
def weights_twice(folder: Path) -> Path:
    return _raw_zip(folder, [*_members(), ("model.weights.h5", b"", {})])


for _title, _name in {
    "a_member_above_the_folder": "../evil.txt",
    "a_member_far_above_the_folder": "assets/../../../evil.txt",
    "a_member_with_an_absolute_path": "/tmp/evil.txt",
    "a_member_with_backslashes": "assets\\..\\..\\evil.txt",
    "a_member_on_another_drive": "C:/evil.txt",
    "a_member_with_a_null": "assets/a\0.txt",
}.items():
    attack("evil|assets/a", name=_title)(
        lambda folder, name=_name: _raw_zip(folder, [*_members(), (name, b"evil", {})])
    )


@attack("assets/link")
def a_member_that_is_a_link(folder: Path) -> Path:
    link = ("assets/link", b"/etc/passwd", {"attributes": 0o120777 << 16})
    return _raw_zip(folder, [*_members(), link])


@attack("config.json")
def members_that_share_bytes(folder: Path) -> Path:
    return _raw_zip(
        folder, [*_members(), ("config.json.bak", b"", {"place": 0, "size": 10, "stored": 10})]
    )


@attack("config.json")
def an_encrypted_member(folder: Path) -> Path:
    return _raw_zip(folder, _members(config_json={"flags": 0x801}))


@attack("config.json")
def an_unknown_compression(folder: Path) -> Path:
    return _raw_zip(folder, _members(config_json={"method": 99}))


@attack("model.weights.h5")
def lzma(folder: Path) -> Path:
    return zipped(folder, good(), zipfile.ZIP_LZMA)


@attack("config.json")
def a_wrong_checksum(folder: Path) -> Path:
    return _raw_zip(folder, _members(config_json={"crc": 1}))


@attack("model.weights.h5")
def a_wrong_checksum_of_the_weights(folder: Path) -> Path:
    data = bytearray(good()["model.weights.h5"])
    data[-1] ^= 1
    crc = zlib.crc32(good()["model.weights.h5"])
    members = [m for m in _members() if m[0] != "model.weights.h5"]
    return _raw_zip(folder, [*members, ("model.weights.h5", bytes(data), {"crc": crc})])


@attack("config.json")
def a_member_behind_the_file(folder: Path) -> Path:
    return _raw_zip(folder, _members(config_json={"place": 0x7FFFFFFF}))


@attack("config.json|model.weights.h5|members")
def a_directory_that_claims_other_names(folder: Path) -> Path:
    """The directory swaps two names that stand in the members' own headers."""
    path = _raw_zip(folder, _members())
    data = path.read_bytes()
    start = data.index(b"PK\1\2")
    swapped = data[start:].replace(b"config.json", b"x").replace(b"metadata.json", b"y")
    del swapped
    names = {b"config.json": b"config.jsoX"}
    for old, new in names.items():
        data = data[:start] + data[start:].replace(old, new)
    path.write_bytes(data)
    return path


@attack("config.json")
def no_config(folder: Path) -> Path:
    return zipped(folder, {k: v for k, v in good().items() if k != "config.json"})


@attack("model.weights.h5")
def no_weights(folder: Path) -> Path:
    return zipped(folder, {k: v for k, v in good().items() if k != "model.weights.h5"})


@attack("m.keras")
def more_members_than_there_are(folder: Path) -> Path:
    return _raw_zip(folder, _members(), count=60_000)


@attack("m.keras")
def a_second_directory_in_the_comment(folder: Path) -> Path:
    fake = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 46, 0xFFFF0000, 0)
    return _raw_zip(folder, _members(), comment=b"x" * 500 + fake)


@attack("m.keras")
def a_directory_of_sixteen_exabytes(folder: Path) -> Path:
    path = folder / "m.keras"
    end = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 3, 3, 1 << 63, 1 << 63)
    tail = b"PK\6\7" + struct.pack("<IQI", 0, 4, 1)
    tail += b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, *[0xFFFFFFFF] * 2, 0)
    path.write_bytes(b"PK\3\4" + end + tail)
    return path


for _share in (0.2, 0.5, 0.9, 0.999):

    @attack("m.keras", name=f"cut_at_{_share}")
    def _cut(folder: Path, share: float = _share) -> Path:
        path = zipfile_of(folder, {})
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return path


class _Evil:
    def __reduce__(self):
        return (open, ("HORNBEAM_WAS_HERE", "w"))


@attack("m.keras")
def a_pickle(folder: Path) -> Path:
    path = folder / "m.keras"
    path.write_bytes(pickle.dumps(_Evil()))
    return path


@attack("m.keras")
def a_tar(folder: Path) -> Path:
    path = folder / "m.keras"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("../evil")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"evil"))
    return path


@attack("model.weights.h5")
def a_pickle_in_the_place_of_the_weights(folder: Path) -> Path:
    return zipfile_of(folder, {"model.weights.h5": pickle.dumps(_Evil())})


@attack("model.weights.h5")
def an_archive_within_the_weights(folder: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x", b"x")
    return zipfile_of(folder, {"model.weights.h5": inner.getvalue()})
