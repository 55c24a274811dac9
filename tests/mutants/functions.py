"""Edits of compiled functions: what traces again, what variables go through, loops, branches, callbacks; of strings and indices."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_BLOCK, _COMPILED, _EFFECTS = "core/block.py", "core/compiled.py", "core/effects.py"
_HANDED = "core/test_compiled.py"
_FUNCTION, _KEYS, _SIGNATURE = (
    "control/function.py",
    "control/keys.py",
    "control/input_signature.py",
)
_BRANCHES, _TURNS, _PARTS = "control/branches.py", "control/turns.py", "control/parts.py"
_HOST, _INDEX = "core/host.py", "core/index_bounds.py"
_TEST, _LIKE = "control/test_function.py", "control/test_like_tensorflow.py"
_CALLBACKS, _TENSORS = "control/test_callbacks.py", "control/autograph/test_tensors.py"
_LEAKS, _THREADS = "core/test_leaks.py", "keras/training/test_threads.py"
_OUTSIDE = f"{_LEAKS}::test_each_use_says_where_the_tensor_was_made"
_CHECKS = "tensors/test_argument_checks.py::test_what_is_refused_says_what_came"
_TAKEN = f"{_THREADS}::test_what_a_step_has_taken_over_is_waited_for"

EDITS: list[Edit] = [
    # What traces again
    edit(
        _KEYS,
        "key.append((kind, leaf))",
        "key.append(leaf)",
        f"{_TEST}::test_numbers_that_are_equal_but_of_other_types_are_traced_apart",
    ),
    edit(
        _KEYS,
        "key.append((kind, repr(leaf)))",
        "key.append((kind, leaf))",
        f"{_TEST}::test_numbers_that_are_equal_but_of_other_types_are_traced_apart",
    ),
    edit(
        _KEYS,
        "                entries.forget_dead()",
        "                pass",
        f"{_TEST}::test_programs_of_an_object_go_with_it",
    ),
    edit(
        _FUNCTION,
        "(scope.autocast_dtype(), config.surroundings())",
        "(None, config.surroundings())",
        f"{_TEST}::test_the_type_that_mixed_precision_reads_variables_in_counts",
    ),
    edit(
        _FUNCTION,
        "(scope.autocast_dtype(), config.surroundings())",
        "(scope.autocast_dtype(), 0)",
        f"{_TEST}::test_a_setting_that_a_function_reads_traces_it_again",
    ),
    edit(
        _FUNCTION,
        "        if sum(self._recent) < _TRACES or self._warned:",
        "        if True:",
        f"{_TEST}::test_many_traces_are_told_once",
    ),
    edit(
        _FUNCTION,
        "        if self._has_traced:\n",
        "        if False:\n",
        f"{_TEST}::test_variables_made_too_late_or_each_time_are_told_at_their_line",
    ),
    edit(
        _FUNCTION,
        "elif needs_values(error):",
        "elif True:",
        f"{_TEST}::test_values_that_python_needs_are_errors_and_never_constants",
        f"{_TEST}::test_a_first_trace_that_fails_does_not_count",
    ),
    edit(
        _FUNCTION,
        "        with self._lock:\n            program = self._programs.get(key)\n",
        "        if True:\n            program = None\n",
        f"{_TEST}::test_two_threads_trace_once_and_lose_no_assignment",
    ),
    edit(
        _FUNCTION,
        "        if recording.is_recording():\n            return program.on_tensors",
        "        if False:\n            return program.on_tensors",
        f"{_TEST}::test_a_tape_over_a_call_sees_one_computation",
    ),
    edit(
        _FUNCTION,
        "            if (lost := lost_with(constant)) is not None:",
        "            if (lost := None) is not None:",
        f"{_LEAKS}::test_a_closure_over_it",
    ),
    edit(
        _SIGNATURE,
        "if not fits or as_dtype(tensor.dtype) != wanted:",
        "if not fits:",
        f"{_TEST}::test_an_input_signature_makes_tensors_and_refuses_the_rest",
    ),
    edit(
        _SIGNATURE,
        "        and all(a in (None, b) for a, b in zip(shape, tuple(tensor.shape), strict=True))\n",
        "",
        f"{_TEST}::test_an_input_signature_makes_tensors_and_refuses_the_rest",
        f"{_TEST}::test_a_concrete_function_takes_its_kind_of_arguments_alone",
    ),
    # Blocks, and the variables that they find
    edit(
        _BLOCK,
        "        candidates += missing\n",
        "        return _pruned(block)\n",
        f"{_TEST}::test_two_threads_trace_once_and_lose_no_assignment",
        f"{_TEST}::test_first_values_that_depend_on_the_arguments",
        "core/test_found_variables.py",
    ),
    edit(
        _BLOCK,
        "        updates = [(v, x) for v, x in opened.updates if id(v) not in made]",
        "        updates = list(opened.updates)",
        f"{_TEST}::test_layers_are_built_on_the_first_call",
        f"{_TEST}::test_first_values_that_depend_on_the_arguments",
    ),
    edit(
        _BLOCK,
        "places = [i for i, each in enumerate(constants) if np.size(each) > _LARGE]",
        "places = []",
        f"{_TEST}::test_large_constants_are_arguments_of_the_program",
    ),
    edit(
        "core/handover.py",
        "        if variable.is_lent or id(value) in seen:",
        "        if id(value) in seen:",
        f"{_HANDED}::test_what_was_read_stays_whole",
        "keras/training/test_robustness.py::test_tensors_taken_from_a_model_outlive_training",
    ),
    edit(
        "core/handover.py",
        "        if variable.is_lent or id(value) in seen:",
        "        if variable.is_lent:",
        f"{_HANDED}::test_values_that_change_places_or_are_shared",
        reason="JAX gives each output of a program an array of its own; that is not promised",
    ),
    edit(
        _COMPILED,
        "if every[id(value)] > 1]",
        "if False]",
        f"{_HANDED}::test_values_that_change_places_or_are_shared",
        reason="JAX gives each output of a program an array of its own; that is not promised",
    ),
    edit(
        _COMPILED,
        "        pure = block.compiled() if self._given else self._run",
        "        pure = self._run",
        f"{_HANDED}::test_tapes_outside_hold_what_they_followed",
    ),
    edit(
        _COMPILED,
        "            variable.is_lent = keeps",
        "            pass",
        f"{_HANDED}::test_memory_of_large_variables_is_used_again",
    ),
    edit(
        _COMPILED,
        '    if any("callback" in name for name in primitives(block.jaxpr.jaxpr)):\n        return []\n',
        "",
        f"{_HANDED}::test_python_that_a_program_calls_reads_the_variables",
    ),
    edit(
        _COMPILED,
        "                self._settle()\n                self._store(outputs, new, [*taken, *arrays], keeps)",
        "                self._store(outputs, new, [*taken, *arrays], keeps)\n                self._settle()",
        f"{_HANDED}::test_after_an_error_in_python_variables_hold_what_they_held",
    ),
    edit(
        _COMPILED,
        "            with self._lock, Shield() as shield, shield.step():",
        "            with self._lock:",
        f"{_HANDED}::test_ctrl_c_in_a_loop_by_hand_waits_for_the_end_of_the_step",
    ),
    edit(
        _COMPILED,
        "            if not has_met_step(error):\n                raise\n",
        "            raise\n",
        f"{_TAKEN}[a function]",
    ),
    edit(
        _COMPILED,
        "                if variable._value.is_deleted():",
        "                if False:",
        f"{_TEST}::test_a_lost_value_is_told",
    ),
    edit(
        _PARTS,
        "before.update((id(v), v._value) for v in made.assigned if id(v) not in before)",
        "pass",
        f"{_TENSORS}::test_assigned_variables_go_through_branches_and_loops",
        _LIKE,
        reason="what a part assigns is known to the scope around it: all that live are inputs of the function",
    ),
    # Loops and branches
    edit(
        _TURNS,
        "return more if limit is None else more & (turns < limit)",
        "return more",
        _LIKE,
    ),
    edit(
        _TURNS,
        "        if old.shape != new.shape:\n",
        "        if False:\n",
        _LIKE,
    ),
    edit(
        _TURNS,
        "        if old.dtype != new.dtype:\n",
        "        if False:\n",
        _LIKE,
    ),
    edit(
        _TURNS,
        "    if not form.is_like(skeleton):\n",
        "    if False:\n",
        f"{_CHECKS}[another structure in a scan of a program]",
    ),
    edit(
        _TURNS,
        "if (known := _with_known_elements(values, step.block.form, step.block)) is not None:",
        "if (known := None) is not None:",
        "control/test_tensor_array.py::test_a_loop_of_a_program",
    ),
    edit(
        _BRANCHES,
        "jnp.where((index < 0) | (index >= count), count, index)",
        "index",
        _LIKE,
    ),
    edit(
        _BRANCHES,
        "if jnp.ndim(value) and jnp.size(value) != 1:",
        "if False:",
        f"{_CHECKS}[several conditions]",
    ),
    # Calls back into Python
    edit(
        _EFFECTS,
        "        if _muted or errors:  # after an error nothing more is done",
        "        if errors:",
        "control/test_printing.py::test_the_first_call_that_makes_variables_prints_once",
    ),
    edit(
        _EFFECTS,
        "        if _muted or errors:  # after an error nothing more is done",
        "        if _muted:",
        f"{_CALLBACKS}::test_after_an_error_nothing_more_is_called",
    ),
    edit(
        _EFFECTS,
        "        errors.clear()\n",
        "",
        f"{_CALLBACKS}::test_errors_are_those_of_the_function",
    ),
    edit(
        "control/callbacks.py",
        "            if result.shape != wanted.shape:\n",
        "            if False:\n",
        f"{_CALLBACKS}::test_wrong_results",
    ),
    # Values that a program took over, or that outlived one
    edit(
        "core/op.py",
        "            if handover.has_met_step(error):  # of another thread",
        "            if False:",
        f"{_TAKEN}[an op]",
    ),
    edit(
        "core/variable.py",
        "        if not is_traced(stored) and _is_taken(stored):",
        "        if False:",
        f"{_TAKEN}[an assignment]",
    ),
    edit(
        "core/variable.py",
        "        known_value(value)  # raises for one that was kept beyond the end of its program\n",
        "",
        f"{_OUTSIDE}[a new variable]",
    ),
    edit(
        "core/tensor.py",
        "known_value(value) if lost_with(value) is None else value",
        "known_value(value)",
        f"{_LEAKS}::test_it_can_still_be_printed",
    ),
    edit(
        "core/leaks.py",
        'return "" if is_library(file) else f" {name!r} ({file}:{line})"',
        'return ""',
        f"{_OUTSIDE}[an op]",
    ),
    edit(
        "core/user_code.py",
        "        level += 1\n",
        "",
        "core/test_user_code.py::test_a_warning_is_of_the_users_line[watch_integers]",
    ),
    # Errors of ops
    edit(
        "core/op_errors.py",
        "    if not all(is_library(frame.f_code.co_filename) for frame, _ in frames):\n        return None\n",
        "",
        "core/test_error_types.py::test_errors_of_functions_that_an_op_is_given_stay_as_they_are",
    ),
    edit(
        "core/op_errors.py",
        "kind = OutOfBoundsError if of_index else InvalidArgumentError",
        "kind = InvalidArgumentError",
        "core/test_error_types.py::test_too_many_indices_are_an_index_error_too",
    ),
    # Strings and indices
    edit(
        _HOST,
        'if name not in _MOVING and name not in _TELLING and name != "add":',
        "if False:",
        "core/test_host.py::test_what_computes_refuses_strings",
    ),
    edit(
        _HOST,
        'words: dict[bytes, int] = {b"": 0}',
        "words: dict[bytes, int] = {}",
        "core/test_host.py::test_what_moves_elements_moves_strings",
    ),
    edit(
        _INDEX,
        "    if not -size <= index < size:\n",
        "    if not index < size:\n",
        "core/test_index_bounds.py::test_indices_beyond_an_axis",
    ),
    edit(
        _INDEX,
        "axis = len(shape) - sum(map(_axes, keys[place + 1 :]))",
        "axis += 1",
        "core/test_index_bounds.py",
    ),
    edit(
        _INDEX,
        'return key.ndim if dtype is not None and dtype == "bool" else 1',
        "return 1",
        "core/test_index_bounds.py",
    ),
    edit(
        _INDEX,
        "    if found.min() < 0 or found.max() >= size:\n",
        "    if found.max() >= size:\n",
        "core/test_index_bounds.py::test_indices_of_one_axis",
    ),
    edit(
        "core/divisors.py",
        "if not is_traced(raw):",
        "if False:",
        "core/test_divisors.py::test_a_whole_divisor_of_zero_is_an_error",
    ),
    edit(
        "core/divisors.py",
        "elif effects.is_collecting():",
        "elif False:",
        "core/test_divisors.py::test_a_function_tells_of_it_after_it_has_run",
    ),
    edit(
        "core/divisors.py",
        "    if found.all():\n        return",
        "    if False:\n        return",
        "core/test_divisors.py::test_it_is_told_within_loops_and_vectorized_maps_where_it_happens",
    ),
    edit(
        "core/config.py",
        "return state(), _jax.jax_default_matmul_precision, _jax.jax_enable_x64, *others",
        "return (state(), *others)",
        "control/test_surroundings.py::test_the_precision_of_products_counts",
    ),
    edit(
        "keras/engine/context.py",
        "config.add_surrounding(_training)",
        "pass",
        "control/test_surroundings.py::test_the_mode_of_training_of_the_call_around_counts",
    ),
    edit(
        _BRANCHES,
        "check_unless((count >= least) & (count <= most), test, *values)",
        "pass",
        f"{_LIKE}::test_it_does_what_tensorflow_does[case_without_default]",
    ),
    edit(
        _BLOCK,
        "    rng.global_generator()",
        "    pass",
        "core/test_block.py::test_the_first_random_number_is_no_reason_to_run_twice",
    ),
    edit(
        _SIGNATURE,
        "        refuse_loss(value, wanted)",
        "        pass",
        "control/test_signatures.py::test_numbers_that_a_type_cannot_hold_are_refused",
    ),
    edit(
        _KEYS,
        "elif kind is TensorShape:",
        "elif False:",
        "control/test_signatures.py::test_equal_shapes_share_a_trace",
    ),
]
