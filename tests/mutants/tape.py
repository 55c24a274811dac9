"""Edits of the gradient tape: what it keeps, which way gradients go, what is compiled, replays inside of programs."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_TAPE, _BACKWARD = "core/tape.py", "core/backward.py"
_SEGMENTS, _PROGRAMS, _KEYS = "core/segments.py", "core/programs.py", "core/call_keys.py"
_RECORDING, _FACE = "core/recording.py", "tensors/gradient_tape.py"
_TEST, _FUNCTION = "tensors/test_gradient_tape.py", "control/test_function.py"
_CUSTOM, _STEP = "tensors/test_custom_gradients.py", "keras/training/test_tape.py"

EDITS: list[Edit] = [
    # What is kept
    edit(
        _TAPE,
        "        if self.is_stopped:\n            self._forget(outputs)",
        "        if False:\n            self._forget(outputs)",
        f"{_TEST}::test_stop_recording",
    ),
    edit(
        _TAPE,
        "and has_gradient(call)",
        "",
        f"{_TEST}::test_ops_without_gradients",
    ),
    edit(
        _TAPE,
        "self._by_box[id(leaf)] = None",
        "pass",
        f"{_TEST}::test_what_shares_the_array_of_a_stopped_one",
    ),
    edit(
        _TAPE,
        "if not (self._watches_reads and variable.trainable and is_differentiable(raw)):",
        "if not (variable.trainable and is_differentiable(raw)):",
        f"{_TEST}::test_only_what_is_watched_by_hand",
    ),
    edit(
        _TAPE,
        "if not (self._watches_reads and variable.trainable and is_differentiable(raw)):",
        "if not (self._watches_reads and is_differentiable(raw)):",
        f"{_TEST}::test_variables_are_watched_when_they_are_read",
    ),
    edit(
        _TAPE,
        "            if slot.raw is raw:\n                return slot\n        known.append",
        "            return slot\n        known.append",
        f"{_TEST}::test_a_variable_that_is_assigned_in_between",
    ),
    edit(
        _TAPE,
        "            slot = self._of_raw(box._value)\n",
        "            slot = None\n",
        f"{_TEST}::test_another_tensor_around_the_same_array",
    ),
    # Which way gradients go
    edit(
        _BACKWARD,
        "needed = {id(slot) for slot in targets if id(slot) in depends}",
        "needed = {id(slot) for slot in targets}",
        f"{_TEST}::test_unconnected_gradients",
        reason="no record between sources and targets makes such a target; its gradient is that of a constant",
    ),
    edit(
        _BACKWARD,
        "            self._differentiate(group)\n        for slot in self._way.sources:\n",
        "            self._differentiate(group)\n        for slot in ():\n",
        f"{_TEST}::test_a_target_that_is_a_source",
    ),
    edit(
        _BACKWARD,
        'self._found[id(slot)] = gradient if known is None else elementary["add"](known, gradient)',
        "self._found[id(slot)] = gradient",
        f"{_CUSTOM}::test_its_gradient_and_that_of_what_is_beside_it_are_added",
    ),
    edit(
        _BACKWARD,
        "        self._ones.discard(id(slot))\n",
        "",
        f"{_TEST}::test_a_target_that_is_a_source",
    ),
    edit(
        _BACKWARD,
        "        _take_replayed(tapes, inside, made, after)\n",
        "",
        f"{_STEP}::test_the_step_is_the_built_in_one",
    ),
    edit(
        _BACKWARD,
        "    scope.replace_values(news)\n",
        "",
        f"{_STEP}::test_the_step_is_the_built_in_one",
    ),
    edit(
        _BACKWARD,
        "tapes = [tape, *(each for each in recording.recorders() if isinstance(each, Tape))]",
        "tapes = [tape]",
        f"{_TEST}::test_higher_derivatives_in_a_program",
    ),
    edit(
        _BACKWARD,
        'if form == "pull":',
        "if True:",
        f"{_TEST}::test_higher_derivatives_in_a_program",
    ),
    # The pure function
    edit(
        _SEGMENTS,
        "return lax.stop_gradient(output) if kind == _STOPPED else output",
        "return output",
        f"{_TEST}::test_no_gradient_flows_through_an_assignment_in_a_program",
    ),
    edit(
        _SEGMENTS,
        "                for output, source in step.added:\n",
        "                for output, source in ():\n",
        f"{_TEST}::test_what_is_between_source_and_target_is_a_source_too",
    ),
    edit(
        _SEGMENTS,
        "jnp.zeros_like(x) if i in self.zeros else x",
        "x",
        f"{_TEST}::test_what_is_between_source_and_target_is_a_source_too",
    ),
    edit(
        _SEGMENTS,
        "return jnp.conj(value) if jnp.issubdtype(value.dtype, jnp.complexfloating) else value",
        "return value",
        f"{_TEST}::test_complex_numbers_as_in_tensorflow",
    ),
    edit(
        _SEGMENTS,
        "kind = _OUTPUT if is_tracked else _STOPPED",
        "kind = _OUTPUT",
        f"{_TEST}::test_no_gradient_flows_through_an_assignment_in_a_program",
    ),
    # Programs
    edit(
        _PROGRAMS,
        "        config.state(),\n        tuple(calls),",
        "        tuple(calls),",
        "core/test_programs.py::test_each_setting_has_its_own_programs",
    ),
    edit(
        _PROGRAMS,
        "if count > _LONG:",
        "if False:",
        "core/test_programs.py::test_what_takes_long_to_compile_runs_record_by_record",
    ),
    edit(
        _PROGRAMS,
        "return len(known) <= _AT_ONCE or known[structure] >= _SEEN",
        "return len(known) <= _AT_ONCE",
        "core/test_programs.py",
    ),
    edit(
        _PROGRAMS,
        "return len(known) <= _AT_ONCE or known[structure] >= _SEEN",
        "return True",
        "core/test_programs.py",
    ),
    edit(_PROGRAMS, "return len(known) >= _MANY", "return False", "core/test_programs.py"),
    edit(
        _KEYS,
        'return package in _FIXED and not isinstance(fn, MethodType) and "<" not in name',
        'return not isinstance(fn, MethodType) and "<" not in name',
        "core/test_programs.py::test_a_users_function_is_computed_each_time",
    ),
    # Who listens
    edit(
        _RECORDING,
        "        if id(raw) not in self._own:\n",
        "        if True:\n",
        "core/test_recording.py::test_what_a_body_makes_itself_is_no_argument_of_the_loop",
    ),
    edit(
        _RECORDING,
        "    saved, local.recorders = local.recorders, []\n    try:\n        yield\n    finally:\n        local.recorders = saved",
        "    saved, local.recorders = local.recorders, []\n    yield\n    local.recorders = saved",
        "core/test_recording.py::test_an_op_that_fails_leaves_the_listeners",
    ),
    # What users see
    edit(
        _FACE,
        "        if self._recording:\n            raise",
        "        if False:\n            raise",
        f"{_TEST}::test_entering_twice",
    ),
    edit(
        _FACE,
        "        if not self._persistent:\n            self._tape, self._is_spent = None, True",
        "        if False:\n            self._tape, self._is_spent = None, True",
        f"{_TEST}::test_a_spent_tape",
    ),
    edit(
        _FACE,
        "if self._tape is None and not self._is_spent:",
        "if False:",
        f"{_TEST}::test_a_tape_that_has_recorded_nothing",
    ),
    edit(
        _FACE,
        "            else:\n                self._stop()\n",
        "",
        f"{_TEST}::test_a_gradient_inside_of_the_block_ends_the_recording",
    ),
    edit(
        _FACE,
        "    if row.shape != end.shape:\n",
        "    if False:\n",
        f"{_TEST}::test_output_gradients",
    ),
]
