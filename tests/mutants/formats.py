"""Edits of `keras.saving`'s other formats, and of training that goes on: safetensors, sets of files, checkpoints of a training."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_SAFE, _SHARDED = "keras/saving/safetensors.py", "keras/saving/sharded.py"
_STEADY, _STEADY_TESTS = "core/steady.py", "core/test_steady.py"
_FOLDER, _PATHS = "keras/saving/state_folder.py", "keras/training/state.py"
_BACKUP = "keras/callbacks/backup_and_restore.py"
_NO_FILE = "keras/saving/test_safetensors.py::test_what_is_no_whole_file_is_refused"
_SETS = "keras/saving/test_sharded.py"
_STATES = "keras/saving/test_state_folder.py"
_CHECKPOINTS = "keras/training/test_checkpoints.py"
_RESUME = "keras/training/test_resume.py"

EDITS: list[Edit] = [
    # Files that go to the disk while they are written
    edit(
        "keras/training/run.py",
        " | changed_elsewhere(self.model)",
        "",
        "keras/training/test_state_elsewhere.py::test_a_resumed_training_goes_on_with_them",
    ),
    edit(
        "keras/training/state.py",
        "    variables |= _elsewhere_in(model, stored)\n",
        "",
        "keras/training/test_state_elsewhere.py::test_a_resumed_training_goes_on_with_them",
    ),
    edit(
        "keras/training/state.py",
        "        if program.has_changed(variable)\n",
        "",
        "keras/training/test_state_elsewhere.py::test_what_nothing_assigns_is_not_stored",
    ),
    edit(
        _STEADY,
        "        if begin < self._handed and self._hashes is not None:",
        "        if False:",
        f"{_STEADY_TESTS}::test_bytes_and_hashes",
    ),
    edit(
        _STEADY,
        "            self._hashes.note_change(size, max(self._handed, size))",
        "            pass",
        f"{_STEADY_TESTS}::test_bytes_and_hashes",
    ),
    edit(
        _STEADY,
        "        self._wait(_WAITING)",
        "",
        f"{_STEADY_TESTS}::test_few_windows_are_on_their_way_at_once",
    ),
    edit(
        _STEADY,
        "                self._pool.shutdown()",
        "                self._pool.shutdown(wait=False)",
        f"{_STEADY_TESTS}::test_the_handle_stays_open_until_no_thread_uses_it",
    ),
    edit(
        _STEADY,
        "        each.result()\n",
        "        pass\n",
        f"{_STEADY_TESTS}::test_an_error_of_a_hash_is_raised",
    ),
    # Safetensors
    edit(
        _SAFE, "        if length < 2 or length > _LARGEST_HEADER:", "        if False:", _NO_FILE
    ),
    edit(
        _SAFE,
        "        if length > size - 8:",
        "        if False:",
        _NO_FILE,
        reason="a header that the file does not have room for is no JSON either",
    ),
    edit(_SAFE, "                if wanted != end - begin:", "                if False:", _NO_FILE),
    edit(_SAFE, "            if begin != last:", "            if False:", _NO_FILE),
    edit(_SAFE, "        if last != room:", "        if False:", _NO_FILE),
    edit(
        _SAFE,
        "    if not isinstance(found, dict) or set(found) != _FIELDS:",
        "    if not isinstance(found, dict):",
        _NO_FILE,
    ),
    edit(_SAFE, "or ends[0] > ends[1]:", "or False:", _NO_FILE),
    edit(
        _SAFE,
        '            if dtype.kind == "b" and array.nbytes and room.max() > 1:',
        "            if False:",
        "keras/saving/test_safetensors.py::test_truth_values_and_unknown_types",
    ),
    edit(
        _SAFE,
        "    rest = [name for name in file if name not in taken]",
        "    rest = []",
        "keras/saving/test_safetensors.py::test_other_models_are_told_and_nothing_changes",
    ),
    edit(
        _SAFE,
        "        if id(obj) in wanted:\n",
        "        if True:\n",
        "keras/saving/test_safetensors.py::test_objects_to_skip",
    ),
    edit(
        _SAFE,
        'f"{name}_{number}" if number else name',
        "name",
        "keras/saving/test_safetensors.py::test_weights_of_one_name_are_numbered",
    ),
    # Sets of files
    edit(
        _SHARDED,
        ' or not _SHARD.fullmatch(name) or name.startswith(".")',
        "",
        f"{_SETS}::test_names_that_lead_elsewhere_are_refused",
    ),
    edit(
        _SHARDED,
        "        if size > self._largest:",
        "        if False:",
        f"{_SETS}::test_an_array_larger_than_a_file_is_refused",
    ),
    edit(
        _SHARDED,
        "if each not in kept)",
        "if each not in ())",
        f"{_SETS}::test_round_trip_and_what_the_index_says",
    ),
    edit(
        _SHARDED,
        "        _remove(each for each in (*old, *shards.paths) if each not in kept)",
        "        pass",
        f"{_SETS}::test_the_second_set_replaces_the_first",
    ),
    edit(
        _SHARDED,
        "        if not any(map(shard.fullmatch, taken)):",
        "        if True:",
        f"{_SETS}::test_files_of_others_are_neither_replaced_nor_removed",
    ),
    edit(
        _SHARDED,
        "if ours.fullmatch(name)]",
        "if True]",
        f"{_SETS}::test_files_of_others_are_neither_replaced_nor_removed",
    ),
    # Checkpoints of a training
    edit(
        _FOLDER,
        '                if sha256_of_pieces(stream) != expected["sha256_of_pieces"]:',
        "                if False:",
        f"{_STATES}::test_damage_is_noticed",
    ),
    edit(
        _FOLDER,
        '    if content.pop("sha256", None) != _hash_of_json(content):',
        '    if content.pop("sha256", None) is None:',
        f"{_STATES}::test_text_that_was_edited",
    ),
    edit(
        _FOLDER,
        "    for _, old in found[: len(found) + 1 - keep]:",
        "    for _, old in found[: len(found) - keep]:",
        f"{_STATES}::test_the_last_ones_are_kept",
    ),
    edit(
        _FOLDER,
        "            damaged.append(error)\n            continue",
        "            raise",
        f"{_RESUME}::test_damaged_state_is_told_and_the_one_before_is_used",
    ),
    edit(
        _FOLDER,
        "    for _, path in _checkpoints(folder):\n        _remove(path)",
        "    remove(folder)",
        f"{_STATES}::test_removing_leaves_what_is_not_ours",
    ),
    edit(
        _PATHS,
        '    note("global_seed", global_generator().state)\n',
        "",
        f"{_RESUME}::test_in_a_new_process",
        reason="the seed is found among what the step reads",
    ),
    edit(
        _PATHS,
        "            parts.setdefault(place, Part(place)).left_over.append(entry)",
        "            pass",
        f"{_RESUME}::test_what_the_model_does_not_have_is_told_by_path",
    ),
    edit(
        _BACKUP,
        "        self._run.resume_epoch()",
        "        pass",
        f"{_RESUME}::test_stopped_after_any_step",
    ),
    edit(
        _BACKUP,
        "        if self.delete_checkpoint:",
        "        if False:",
        f"{_RESUME}::test_checkpoints_are_gone_when_training_has_ended",
    ),
    edit(
        _BACKUP,
        "        if run is None:",
        "        if False:",
        f"{_RESUME}::test_outside_of_fit",
    ),
    edit(
        "core/snapshot.py",
        "            variable.is_lent = True",
        "            pass",
        f"{_CHECKPOINTS}::test_a_snapshot_outlives_steps",
    ),
    edit(
        "keras/callbacks/background.py",
        "            self.error = error",
        "            pass",
        f"{_CHECKPOINTS}::test_a_failed_last_save_is_raised_at_the_end",
    ),
    edit(
        "keras/callbacks/background.py",
        "        self.saving.join()",
        "        pass",
        f"{_CHECKPOINTS}::test_a_failed_save_is_told_where_another_error_ends_training",
    ),
    edit(
        "keras/callbacks/model_checkpoint.py",
        "            with snapshot.scope():",
        "            if snapshot is not None:",
        f"{_CHECKPOINTS}::test_training_goes_on_while_a_file_is_written",
    ),
    edit(
        "keras/callbacks/termination.py",
        "            signal.signal(signal.SIGTERM, self._previous)",
        "            pass",
        f"{_CHECKPOINTS}::test_sigterm_saves_and_then_does_what_it_does",
    ),
    edit(
        "keras/callbacks/csv_logger.py",
        "            old = self._resumed_part(old)",
        "            pass",
        "keras/callbacks/test_small_callbacks.py::test_csv_goes_on_without_doubled_rows",
    ),
    edit(
        "keras/callbacks/csv_logger.py",
        'or _hash(part) == self._resumed["sha256"]',
        "or True",
        "keras/callbacks/test_small_callbacks.py::test_csv_of_another_training_is_not_cut",
    ),
    edit(
        "keras/callbacks/callback_list.py",
        "                    stack.callback(callback._close)",
        "                    callback._close()",
        "keras/callbacks/test_callback_list.py::test_all_are_closed_though_one_fails",
    ),
    edit(
        "keras/sources/streams.py",
        "        self.length = self._dataset.num_batches\n\n    def open",
        "\n    def open",
        "keras/sources/test_sources.py::test_a_dataset_of_another_length_than_at_first_goes_on",
    ),
    edit(
        "keras/utils/object_data.py",
        "            return {_INSIDE: {}}  # an object",
        "            return Unstorable(value, False)  # an object",
        "keras/utils/test_remembered.py::test_what_callbacks_hold_is_set_in_place",
    ),
    edit(
        "keras/utils/object_data.py",
        "[None if id(v) in self._known else v.numpy() for v in variables]",
        "[v.numpy() for v in variables]",
        "keras/utils/test_remembered.py::test_variables_that_are_stored_elsewhere_are_left_out",
    ),
    edit(
        "keras/utils/object_data.py",
        "        target = present if isinstance(present, dict) else {}",
        "        target = {}",
        "keras/utils/test_remembered.py::test_what_callbacks_hold_is_set_in_place",
    ),
    edit(
        "keras/utils/object_data.py",
        "    present.clear()\n        present.extend(items)\n        return present",
        "    return list(items)",
        "keras/utils/test_remembered.py::test_what_callbacks_hold_is_set_in_place",
    ),
    edit(
        "keras/utils/object_data.py",
        "    if not same or not present.flags.writeable:",
        "    if True:",
        "keras/utils/test_remembered.py::test_an_array_that_others_hold_too_is_set_in_place",
    ),
    edit(
        "keras/utils/object_data.py",
        " or isinstance(value, np.memmap)",
        "",
        "keras/utils/test_remembered.py::test_what_cannot_be_stored_is_told_once",
    ),
    edit(
        "keras/utils/object_data.py",
        '            raise ValueError("it has other variables now")',
        "            return present",
        "keras/utils/test_remembered.py::test_what_does_not_fit_is_told_and_stays",
    ),
    edit(
        "keras/utils/remembered.py",
        "            self._told.add(name)",
        "            pass",
        "keras/utils/test_remembered.py::test_what_cannot_be_stored_is_told_once",
    ),
    edit(
        "keras/training/run.py",
        "known = frozenset(map(id, self._variables_by_path().values()))",
        "known = frozenset[int]()",
        "keras/training/test_resume.py::test_the_weights_are_stored_once",
    ),
    edit(
        _BACKUP,
        "self._obey(logs, write=self._run.before_validation)",
        "self._obey(logs)",
        f"{_CHECKPOINTS}::test_a_validation_that_sigterm_ends_begins_again_with_all_that_counts",
    ),
    edit(
        _BACKUP,
        "        self._lock.acquire(self.backup_dir)\n",
        "",
        f"{_RESUME}::test_two_trainings_do_not_share_a_folder",
    ),
    edit(
        "keras/callbacks/folder_lock.py",
        "            if path in _held:",
        "            if False:",
        "keras/callbacks/test_folder_lock.py::test_one_at_a_time_in_a_process",
    ),
    edit(
        "keras/callbacks/folder_lock.py",
        "if error.errno in (errno.EACCES, errno.EAGAIN):",
        "if False:",
        "keras/callbacks/test_folder_lock.py::test_one_at_a_time_among_processes",
    ),
    edit(
        _BACKUP,
        "    if not os.access(folder, os.W_OK):",
        "    if False:",
        f"{_RESUME}::test_a_folder_that_cannot_be_written_is_told_before_training",
    ),
    edit(
        _BACKUP,
        "(save_freq is False or save_freq >= 1)",
        "True",
        f"{_RESUME}::test_wrong_arguments",
    ),
    edit(
        _BACKUP,
        "        self._since_save = 0\n        _check",
        "        _check",
        f"{_RESUME}::test_steps_are_counted_from_the_beginning_of_a_training",
    ),
    edit(
        _BACKUP,
        '    _state_names = ("_since_save",)',
        "    _state_names = ()",
        f"{_CHECKPOINTS}::test_steps_between_checkpoints_are_counted_on_after_sigterm",
    ),
    edit(
        _FOLDER,
        "    _sweep(folder)\n    found",
        "    found",
        f"{_STATES}::test_what_a_killed_process_was_about_to_remove_goes",
    ),
    edit(
        _FOLDER,
        "    os.rename(path, hidden)\n    remove(hidden)",
        "    remove(path)",
        f"{_STATES}::test_a_process_that_is_killed_while_it_removes_leaves_no_half_under_a_name",
    ),
    edit(
        _FOLDER,
        "        except PermissionError:\n            raise\n",
        "",
        f"{_STATES}::test_a_file_that_may_not_be_read_is_not_damaged",
    ),
    edit(
        _FOLDER,
        ' or content.get("format") != _FORMAT:',
        ":",
        f"{_STATES}::test_another_version_and_a_cut_file_are_told",
    ),
    edit(
        _BACKUP,
        "        if self._notice.is_given:  # after the last",
        "        if False:  # after the last",
        f"{_CHECKPOINTS}::test_sigterm_after_the_last_step_is_obeyed_too",
    ),
    edit(
        _BACKUP,
        "            self._background.wait()\n            self._notice.deliver()",
        "            self._notice.deliver()",
        f"{_CHECKPOINTS}::test_sigterm_ends_a_process_after_the_save",
    ),
    edit(
        _PATHS,
        "        yield from _of_metrics(tracking.own_metrics(metric), inner)",
        "        yield from ()",
        "keras/training/test_state_paths.py::test_paths",
    ),
    edit(
        _BACKUP,
        "                each.wait()\n            write",
        "                pass\n            write",
        f"{_CHECKPOINTS}::test_a_checkpoint_waits_for_the_files_that_it_says_are_there",
    ),
    edit(
        _BACKUP,
        "if all(each.is_made() for each in savings):",
        "if True:",
        f"{_CHECKPOINTS}::test_a_checkpoint_waits_for_the_files_that_it_says_are_there",
    ),
    edit(
        "keras/callbacks/background.py",
        "        return self.error is None",
        "        return True",
        f"{_CHECKPOINTS}::test_a_checkpoint_does_not_say_that_a_file_is_there_that_could_not_be_written",
    ),
    edit(
        "keras/callbacks/saved_files.py",
        "if ours.fullmatch(str(each))",
        "",
        "keras/callbacks/test_saved_files.py::test_an_index_removes_no_file_but_those_made_for_it",
    ),
    edit(
        "keras/sources/arrays.py",
        "            if before != form:",
        "            if False:",
        "keras/sources/test_sources.py::test_a_pass_does_not_go_on_over_other_rows",
    ),
    edit(
        "keras/sources/arrays.py",
        "            self._state = begun(state, bool(self._shuffle))\n        return",
        "            pass\n        return",
        "keras/sources/test_sources.py::test_a_pass_may_be_stopped_again_before_its_first_batch",
    ),
    edit(
        "keras/callbacks/callback_list.py",
        "            self.callbacks.append(ProgbarLogger())\n        self.callbacks.sort(key=_comes_last)",
        "            self.callbacks.append(ProgbarLogger())",
        f"{_RESUME}::test_callbacks_that_decide_go_on",
    ),
    edit(
        "keras/training/run.py",
        "            snapshot.put_back()",
        "            pass",
        f"{_RESUME}::test_stopped_after_any_step",
    ),
    edit(
        "keras/training/run.py",
        '        set_default_seed_state(state["default_seeds"])',
        "        pass",
        f"{_RESUME}::test_stopped_after_any_step",
    ),
    edit(
        "keras/training/run.py",
        '        set_host_generator_state(state["host_generators"])',
        "        pass",
        f"{_RESUME}::test_stopped_after_any_step",
    ),
    edit(
        "keras/sources/streams.py",
        "            self.restore(state)\n        self.length",
        "            pass\n        self.length",
        f"{_RESUME}::test_a_data_set_that_shuffles_at_the_beginning_of_an_epoch",
    ),
    edit(
        "keras/sources/source.py",
        '        if state["is_open"] and any(state[name] != found[name] for name in found):',
        "        if False:",
        f"{_RESUME}::test_other_data_in_mid_epoch_are_told",
    ),
]
