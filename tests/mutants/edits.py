"""The edits: each removes one guard or swaps one branch, and names the tests that have to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """`old` stands once in `file` and becomes `new`; one of `tests` has to fail. `reason`: why a survivor may live."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    reason: str = ""


_TAR, _ARCHIVES = "src/hornbeam/keras/utils/tar_files.py", "src/hornbeam/keras/utils/archives.py"
_UNPACKING = ("tests/keras/utils/test_get_file.py",)

EDITS = [
    Edit(_TAR, "if member.size < 0:", "if False:", _UNPACKING),
    Edit(_TAR, "if needed > free:", "if False:", _UNPACKING),
    Edit(_TAR, "            if not done:\n", "            if False:\n", _UNPACKING),
    Edit(_TAR, 'target.startswith("/")', "False", _UNPACKING),
    Edit(_TAR, " or followed > _MOST_LINKS", " or followed > 10**5", _UNPACKING),
    Edit(_TAR, "0o755 if member.mode & 0o100 else 0o644", "member.mode", _UNPACKING),
    Edit(_TAR, "if not os.path.isfile(target):", "if False:", _UNPACKING),
    Edit(_ARCHIVES, "if stat.S_ISLNK(member.external_attr >> 16):", "if False:", _UNPACKING),
    Edit(_ARCHIVES, 'or "\\\\" in member.filename', "", _UNPACKING),
    Edit(
        "src/hornbeam/core/variable.py",
        "        keep_freed_memory()",
        "        pass",
        ("tests/test_imports.py",),
    ),
    Edit(
        "src/hornbeam/core/memory.py",
        "or CONFIGURING & set(os.environ)",
        "",
        ("tests/core/test_memory.py",),
    ),
    Edit(
        "src/hornbeam/keras/engine/building.py",
        "        if layer._first_weights is not None:",
        "        if False:",
        ("tests/keras/engine/test_layer.py", "tests/keras/layers/test_arguments.py"),
    ),
]
