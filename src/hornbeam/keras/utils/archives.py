"""Unpacking archives that need not be trusted: nothing leaves the folder, and it appears whole or not at all."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterable

from hornbeam.core.atomic_folder import remove, replace_folder
from hornbeam.core.errors import unknown_name
from hornbeam.keras.utils.tar_files import check_space, unpack_tar

__all__ = ["extract_archive"]

FORMATS = ("tar", "zip")
# Two members want the same place, or one wants to be a folder where another is a file.
_FAULTS_OF_THE_ARCHIVE = (
    gzip.BadGzipFile,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
)


def extract_archive(
    archive: str, folder: str, archive_format: str | Iterable[str] | None = "auto"
) -> None:
    """Unpack a tar (plain or compressed) or zip file into `folder`, replacing the folder as a whole.

    Args:
        archive: the file.
        folder: where its contents go; it exists only when every member was unpacked.
        archive_format: "tar", "zip", a list of them to try in order, or "auto": both.

    Raises:
        ValueError: for a file that is no such archive, is damaged, or has a member that would be written outside of
            the folder (an absolute path, "..", a link that leads out) or is neither file, folder nor link, or if the
            contents need more space than the disk has.
    """
    unpack = _unpacker(archive, archive_format)
    parent = os.path.dirname(os.path.abspath(folder))
    part = os.path.join(parent, f".{uuid.uuid4().hex}.part")
    os.mkdir(part)
    try:
        try:
            unpack(archive, part)
        except Exception as error:
            if isinstance(error, OSError) and not isinstance(error, _FAULTS_OF_THE_ARCHIVE):
                raise  # the disk, not the archive
            raise ValueError(
                f"The archive {archive} was not unpacked: {error} Nothing of it was kept."
            ) from error
        replace_folder(part, folder)
    finally:
        remove(part)


def _unpacker(
    archive: str, archive_format: str | Iterable[str] | None
) -> Callable[[str, str], None]:
    """The function that unpacks the format which the file turns out to have."""
    if archive_format == "auto" or archive_format is None:
        wanted = list(FORMATS)
    else:
        wanted = [archive_format] if isinstance(archive_format, str) else list(archive_format)
    for name in wanted:
        if name not in FORMATS:
            raise unknown_name("archive_format", name, [*FORMATS, "auto"])
    if "tar" in wanted and tarfile.is_tarfile(archive):
        return unpack_tar
    if "zip" in wanted and zipfile.is_zipfile(archive):
        return _unpack_zip
    raise ValueError(
        f"{archive} is no {' or '.join(wanted)} archive, so it was not unpacked. Check the address it came from, or "
        "leave out extract=True."
    )


def _unpack_zip(archive: str, folder: str) -> None:
    inside = os.path.realpath(folder)
    with zipfile.ZipFile(archive) as file:
        check_space(sum(each.file_size for each in file.infolist()), folder)
        for member in file.infolist():
            if stat.S_ISLNK(member.external_attr >> 16):
                raise zipfile.BadZipFile(f"its member {member.filename!r} is a link.")
            target = os.path.realpath(os.path.join(inside, member.filename))
            if os.path.commonpath([inside, target]) != inside or "\\" in member.filename:
                raise zipfile.BadZipFile(f"its member {member.filename!r} lies outside of it.")
        file.extractall(folder)
