"""Edits of `train`, and of what reads untrusted text: tables, tensors and lists of checkpoints that are whole or refused."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_TABLE, _BUNDLE, _SNAPPY = "train/table.py", "train/bundle.py", "train/snappy.py"
_SLICES, _STATE = "train/slices.py", "train/state_file.py"
_STRANGE = "train/test_table.py::test_tables_that_no_writer_makes"
_COMPRESSED = "train/test_table.py::test_compressed_blocks"
_PIECES = "train/test_bundle.py::test_tensors_that_tensorflow_wrote_in_parts"

EDITS: list[Edit] = [
    # Tables
    edit(
        "train/restoring.py",
        "            if left and not self.is_quiet and not sys.is_finalizing():",
        "            if left and not sys.is_finalizing():",
        "train/test_checkpoint.py::test_what_is_expected_or_told_already_is_not_told",
    ),
    edit(
        "train/restoring.py",
        "            if left and not self.is_quiet and not sys.is_finalizing():",
        "            if left and not self.is_quiet:",
        "train/test_checkpoint.py::test_nothing_is_told_while_python_ends",
    ),
    edit(
        "train/restoring.py",
        "        if was_open and not self._open and",
        "        if was_open and",
        "train/test_checkpoint.py::test_nothing_is_told_while_something_can_still_hold_it",
    ),
    edit(
        _TABLE,
        '        if last is not None and key <= last:\n            raise ValueError(f"The keys',
        '        if False:\n            raise ValueError(f"The keys',
        "train/test_table.py::test_tables_keep_order_and_refuse_another",
    ),
    edit(
        _TABLE,
        "            if last is not None and key <= last:\n",
        "            if False:\n",
        _STRANGE,
    ),
    edit(_TABLE, "        if start < behind:", "        if False:", _STRANGE),
    edit(_TABLE, "    if end > len(view) - _FOOTER:", "    if False:", _STRANGE),
    edit(
        _TABLE,
        '    if struct.pack("<I", mask(crc32c(stored))) != checksum:',
        "    if False:",
        "train/test_bundle.py::test_every_flipped_byte_of_the_index_is_noticed",
    ),
    edit(_TABLE, "    if kind:\n", "    if False:\n", _STRANGE),
    edit(_TABLE, "        if end < 0 or not restarts:", "        if False:", _STRANGE),
    edit(
        _TABLE,
        "            if shared > len(key) or rest + size > end - at:",
        "            if False:",
        _STRANGE,
    ),
    edit(_TABLE, "            if self._left < 0:", "            if False:", _STRANGE),
    edit(_SNAPPY, "    if size > largest:", "    if False:", _COMPRESSED),
    edit(_SNAPPY, "        if not 0 < offset <= len(out):", "        if False:", _COMPRESSED),
    edit(_SNAPPY, "    if len(out) != size or at > len(data):", "    if False:", _COMPRESSED),
    edit(
        _SNAPPY,
        "        if offset < length:  #",
        "        if False:  #",
        "train/test_table.py::test_compressed_copies_that_overlap_are_quick",
    ),
    # Tensors
    edit(
        _BUNDLE,
        "        if mask(crc32c(data)) != entry.checksum:",
        "        if False:",
        "train/test_bundle.py::test_every_flipped_byte_of_the_data_is_noticed",
    ),
    edit(
        _BUNDLE,
        "        if entry.offset + entry.size > size:",
        "        if False:",
        "train/test_bundle.py::test_a_tensor_beyond_the_end_of_its_file_is_told_before_room_for_it_is_made",
    ),
    edit(_BUNDLE, 'if key[:1] != b"\\0"}', "}", _PIECES),
    edit(
        _SLICES,
        "        stop = size if length == _WHOLE else start + length",
        "        stop = start + length",
        "train/test_slices.py::test_places",
    ),
    edit(
        _SLICES,
        "        if not 0 <= start <= stop <= size:",
        "        if False:",
        "train/test_slices.py::test_places",
    ),
    edit(
        _SLICES,
        'escaped = re.sub(rb"[\\0\\xff]", lambda found: _ESCAPED[found[0]], name)',
        "escaped = name",
        "train/test_slices.py::test_names",
    ),
    # The list of checkpoints
    edit(
        _STATE,
        'path if inside.startswith("..") else inside',
        "inside",
        "train/test_state_file.py::test_paths_elsewhere_stay_whole",
    ),
    edit(
        _STATE,
        "        if found is None:\n            raise",
        "        if found is None:\n            break\n            raise",
        "train/test_state_file.py::test_damaged",
    ),
    edit(
        _STATE,
        '            raise ValueError(f"the field',
        '            continue\n            raise ValueError(f"the field',
        "train/test_state_file.py::test_damaged",
    ),
    # Checkpoints of objects
    edit(
        "train/bundle_writer.py",
        "    shards = next(n for n in range(1, len(taken) + 2) if n not in taken)\n",
        "    shards = 1\n",
        "train/test_bundle_writer.py::test_whatever_call_fails",
    ),
    edit(
        "train/restoring.py",
        "                for each in undo:\n                    each()\n",
        "                pass\n",
        "train/test_checkpoint.py::test_a_damaged_value_changes_nothing",
    ),
    edit(
        "train/restoring.py",
        "        if entry.shape != tuple(variable.shape):",
        "        if len(entry.shape) != len(variable.shape):",
        "train/test_checkpoint.py::test_what_does_not_fit_later_says_so_once",
    ),
    edit(
        "train/restoring.py",
        "            if value.min() < limits.min or value.max() > limits.max:",
        "            if value.min() < limits.min:",
        "train/test_checkpoint.py::test_numbers_beyond_32_bits",
    ),
    edit(
        "train/restoring.py",
        "            self.bundle.open()\n",
        "",
        "train/test_checkpoint.py::test_values_that_wait_outlive_files_that_are_removed",
    ),
    edit(
        "train/graph.py",
        "            if number >= len(nodes):",
        "            if number > 1 << 40:",
        "train/test_hostile.py::test_graphs",
    ),
    edit(
        "train/bundle.py",
        "        if sum(part.size for _, part in found) > stored:",
        "        if sum(part.size for _, part in found) > 1 << 60:",
        "train/test_hostile.py::test_parts_that_stand_for_more_than_the_files",
    ),
    edit(
        "train/manager.py",
        "            if hours and saved - hours * 3600 >= self._last_preserved:",
        "            if hours and saved >= self._last_preserved:",
        "train/test_manager.py::test_one_in_so_many_hours_is_kept",
    ),
    edit(
        "train/checkpoint.py",
        "            self.save_counter.assign(number)\n            raise",
        "            raise",
        "train/test_checkpoint.py::test_a_save_that_fails_is_not_counted",
    ),
    edit(
        "keras/engine/layer.py",
        "        note_change()\n        note_contents(self)\n",
        "        note_change()\n",
        "keras/saving/test_trackables.py::test_an_attribute_that_is_set_later",
    ),
    edit(
        "keras/optimizers/state.py",
        "            note_contents(self)\n",
        "",
        "keras/saving/test_trackables.py::test_optimizers_before_and_after_they_are_built",
    ),
]
