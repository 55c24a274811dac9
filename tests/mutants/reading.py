"""Edits of what files of models are read with: each lets one kind of damaged or hostile file through."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

EDITS: list[Edit] = [
    edit(
        "keras/saving/zips.py",
        '        if not piece:\n            raise ValueError("The file is truncated: it ends before what it says it holds.")\n',
        "        if not piece:\n            return\n",
        "keras/saving/test_zips.py::test_a_stream_that_ends_too_early",
    ),
    edit(
        "keras/saving/zips.py",
        "        if place < 0 or len(tail) - place < 22:",
        "        if False:",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "            if bytes(raw[:4]) != CENTRAL or len(found) >= count:",
        "            if False:",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "        if len(found) != count:",
        "        if False:",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "            if _leads_out(name) or stat.S_ISLNK(fields[14] >> 16):",
        "            if False:",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "        if raw[:4] != LOCAL:",
        "        if False:",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "            if name in found:\n                raise",
        "            if False:\n                raise",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "            if too_large or (member.method == _STORED and member.size != member.stored):",
        "            if False:",
        "keras/saving/test_zips.py::test_what_is_refused",
    ),
    edit(
        "keras/saving/zips.py",
        "        if crc != member.crc:",
        "        if False:",
        "keras/saving/test_zips.py::test_a_wrong_checksum_is_told_without_reading",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if problem not in (None, MISSING):\n            raise",
        "        if False:\n            raise",
        "keras/saving/test_h5_store.py::test_what_stands_in_the_place_of_another",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if not isinstance(found, self.file.h5py.Dataset):\n",
        "        if False:\n",
        "keras/saving/test_h5_store.py::test_what_stands_in_the_place_of_another",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if found.problem is not None:\n            raise KeyError",
        "        if False:\n            raise KeyError",
        "keras/saving/test_h5_store.py::test_what_stands_in_the_place_of_another",
    ),
    edit(
        "keras/saving/h5_store.py",
        "                if len(seen) > _MAX_ENTRIES:",
        "                if False:",
        "keras/saving/test_h5_store.py::test_too_many_arrays",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if guarded.error is not None:",
        "        if False:",
        "keras/saving/test_h5_store.py::test_what_goes_wrong_in_the_stream_is_raised",
    ),
    edit(
        "keras/saving/state_folder.py",
        '    if not isinstance(content, dict) or content.get("format") != _FORMAT:',
        "    if False:",
        "keras/saving/test_state_folder.py::test_another_version_and_a_cut_file_are_told",
    ),
    edit(
        "keras/saving/plain_data.py",
        "    if not isinstance(data, dict) or len(data) != 1:",
        "    if False:",
        "keras/saving/test_state_folder.py::test_data_of_another_form_are_told",
    ),
    edit(
        "keras/saving/sharded.py",
        "    if len({name for names in groups.values() for name in names}) > _MOST_SHARDS:",
        "    if False:",
        "keras/saving/test_sharded.py::test_more_files_than_any_set_has",
    ),
]
