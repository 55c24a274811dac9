"""Unpacking a tar file that need not be trusted, by the same code under every Python.

`tarfile` has a safe mode since Python 3.11.4 (PEP 706), and it was mended several times since. Here the safety does not rest on
the file system: where a name leads is computed from the archive's own list of links, and while files are
written there is no link on the disk that a name could lead through.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from typing import IO, cast

__all__ = ["check_space", "unpack_tar"]

_MOST_LINKS = 40  # the limit that Linux sets for one path


def unpack_tar(archive: str, folder: str) -> None:
    """Unpack a tar file into a folder that exists and is empty.

    A leading slash is dropped, as the tar command does. Of the permissions, only those are kept that a data set needs:
    nothing is set-uid or writable for others.

    Raises:
        tarfile.TarError: if a member's name or link leads out of the folder, or if it is neither file, folder nor link.
        ValueError: if the members need more space than the disk has.
    """
    with tarfile.open(archive) as file:
        members = {_plain_name(each): each for each in _members(file)}
        check_space(sum(each.size for each in members.values() if each.isfile()), folder)
        links = {name: each.linkname for name, each in members.items() if each.issym()}
        for name, member in members.items():
            if member.isdir():
                os.makedirs(_target(name, links, folder), exist_ok=True)
            elif member.isfile():
                _write(file, member, _make_parent(name, links, folder))
        for name, member in members.items():
            if member.islnk():
                _link_hard(member, _make_parent(name, links, folder), links, folder)
        # Last, for from here on names could lead through them.
        places = {name: _make_parent(name, links, folder) for name in links}
        for name, place in places.items():
            os.symlink(links[name], place)


def _members(file: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the headers, refusing each bad one before the next is read."""
    for member in file:
        # With a negative size the next header would be this one again, for ever.
        if member.size < 0:
            raise tarfile.TarError(f"its member {member.name!r} has a negative size.")
        if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
            raise tarfile.TarError(f"its member {member.name!r} is neither file, folder nor link.")
        yield member


def check_space(needed: int, folder: str) -> None:
    """Raise ValueError unless the disk has room for so many bytes: a few kB can unpack to as much as one likes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ValueError(f"it needs {needed:,} bytes and the disk has {free:,} left.")


def _plain_name(member: tarfile.TarInfo) -> str:
    """Return a member's name relative to the folder, without `.` and empty parts."""
    if "\\" in member.name or os.path.splitdrive(member.name)[0]:
        raise _outside(member.name)
    return "/".join(part for part in member.name.split("/") if part not in ("", "."))


def _outside(name: str) -> tarfile.TarError:
    return tarfile.TarError(f"its member {name!r} lies outside of it, or leads there.")


def _resolve(path: str, links: dict[str, str], name: str) -> list[str]:
    """Return where a path inside the archive leads, in parts, following the archive's own links."""
    todo, done, followed = path.split("/")[::-1], list[str](), 0
    while todo:
        part = todo.pop()
        if part == "..":
            if not done:
                raise _outside(name)
            done.pop()
        elif part not in ("", "."):
            done.append(part)
            target = links.get("/".join(done))
            if target is not None:
                followed += 1
                drive = os.path.splitdrive(target)[0]
                if target.startswith("/") or "\\" in target or drive or followed > _MOST_LINKS:
                    raise _outside(name)
                done.pop()
                todo.extend(target.split("/")[::-1])
    return done


def _target(name: str, links: dict[str, str], folder: str) -> str:
    return os.path.join(folder, *_resolve(name, links, name))


def _make_parent(name: str, links: dict[str, str], folder: str) -> str:
    """Make the folder that a member lies in, and return the member's place in it.

    The last part of the name is not followed: it may be a link itself.
    """
    parent, _, last = name.rpartition("/")
    if name in links:
        _resolve(name, links, name)  # where it leads has to be inside too
    if last in ("", ".."):
        raise _outside(name)
    place = _target(parent, links, folder)
    os.makedirs(place, exist_ok=True)
    return os.path.join(place, last)


def _write(file: tarfile.TarFile, member: tarfile.TarInfo, place: str) -> None:
    """Write a file that is not there yet, with its time and with permissions that harm nobody."""
    source = cast("IO[bytes]", file.extractfile(member))
    with source, open(place, "xb") as out:
        shutil.copyfileobj(source, out)
    os.chmod(place, 0o755 if member.mode & 0o100 else 0o644)
    os.utime(place, (member.mtime, member.mtime))


def _link_hard(member: tarfile.TarInfo, place: str, links: dict[str, str], folder: str) -> None:
    if "\\" in member.linkname:
        raise _outside(member.name)
    target = os.path.join(folder, *_resolve(member.linkname, links, member.name))
    if not os.path.isfile(target):
        raise tarfile.TarError(
            f"its member {member.name!r} is a link to {member.linkname!r}, which is no file of it."
        )
    os.link(target, place)
