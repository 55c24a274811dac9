"""Edits of `keras.utils`: archives are unpacked safely."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_TAR, _ARCHIVES = "keras/utils/tar_files.py", "keras/utils/archives.py"
_REFUSED = "keras/utils/test_get_file.py::test_dangerous_and_damaged_archives_are_refused_whole"
_ROOM = "keras/utils/test_get_file.py::test_an_archive_for_which_the_disk_has_no_room"
_MODES = "keras/utils/test_get_file.py::test_no_file_is_writable_for_others_or_set_uid"

EDITS: list[Edit] = [
    edit(_TAR, "if needed > free:", "if False:", _ROOM),
    edit(
        _TAR,
        "            if not done:\n                raise _outside(name)\n            done.pop()",
        "            done = done[:-1]",
        _REFUSED,
    ),
    edit(_TAR, 'target.startswith("/")', "False", _REFUSED),
    edit(_TAR, " or followed > _MOST_LINKS", " or followed > 10**5", _REFUSED),
    edit(_TAR, "0o755 if member.mode & 0o100 else 0o644", "member.mode", _MODES),
    edit(_TAR, "if not os.path.isfile(target):", "if False:", _REFUSED),
    edit(_ARCHIVES, "if stat.S_ISLNK(member.external_attr >> 16):", "if False:", _REFUSED),
    edit(_ARCHIVES, 'or "\\\\" in member.filename', "", _REFUSED),
]
