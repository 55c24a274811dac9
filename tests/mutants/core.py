"""Edits of `core`: scopes, variables, threaded state, the door, probes, random numbers, programs on disk."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_SCOPE, _VARIABLE = "core/scope.py", "core/variable.py"
_RECORDING, _PROBES, _RNG = "core/recording.py", "core/probes.py", "core/rng.py"
_CACHE, _DEFERRED = "core/compilation_cache.py", "core/deferred.py"
_WIDE, _TEST_WIDE = "core/wide.py", "core/test_wide.py"
_TEST_DEFERRED = "core/test_deferred.py"
_TEST_STATE = "core/test_state.py"
_TEST_PROBES, _TEST_CACHE = "core/test_probes.py", "core/test_compilation_cache.py"
_TEST_LAYER, _TEST_ROBUST = "keras/engine/test_layer.py", "keras/training/test_robustness.py"
_CAPTURED = "contract/test_door.py::test_what_functions_capture"

EDITS: list[Edit] = [
    edit(
        _SCOPE,
        "        gc.collect()",
        "        pass",
        "core/test_forgetting.py::test_dropped_models_are_collected_before_a_trace",
    ),
    # Dicts in the order in which they were written
    edit(
        "core/ordered.py",
        "[(key, parts[key]) for key in tree]",
        "parts.items()",
        "core/test_ordered.py::test_a_structure_keeps_its_classes_and_the_order_of_its_keys",
    ),
    edit(
        "core/ordered.py",
        "[(key, values[key]) for key in form.order]",
        "values.items()",
        "core/test_ordered.py::test_a_structure_keeps_its_classes_and_the_order_of_its_keys",
    ),
    edit(
        "keras/training/traces.py",
        "in_order(unflattened, data) if has_form else unflattened",
        "unflattened",
        "keras/test_order_of_outputs.py::test_steps_see_data_in_the_order_in_which_they_were_given",
    ),
    edit(
        "core/symbolic.py",
        "return sealed(fn(*inner_args, **inner_kwargs))",
        "return fn(*inner_args, **inner_kwargs)",
        "keras/test_order_of_outputs.py::test_of_a_functional_model",
    ),
    edit(
        "keras/compiled/outputs.py",
        "return keys_of(outputs) if",
        "return sorted(outputs) if",
        "keras/test_order_of_outputs.py::test_a_loss_by_name_finds_its_output_in_an_ordered_dict",
    ),
    # 64-bit types
    edit(
        _WIDE,
        "if takes_functions or (has_float",
        "if (has_float",
        f"{_TEST_WIDE}::test_other_code_keeps_32_bits",
    ),
    edit(
        _WIDE,
        "if set(kinds) == {_LARGE} and _is_too_large(values):",
        "if False:",
        f"{_TEST_WIDE}::test_numbers_that_change_do_not_lose_bits_as_arguments",
    ),
    edit(
        "core/plans.py",
        "if not is_typed and arrays and wide.depends_on_types(raw):",
        "if False:",
        f"{_TEST_WIDE}::test_one_call_on_other_types_is_another_plan",
    ),
    edit(
        "core/plans.py",
        "        if array.dtype in wide.NARROW:\n            is_typed = True",
        "        if array.dtype in wide.NARROW:\n            is_typed = False",
        f"{_TEST_WIDE}::test_a_plan_serves_the_types_that_it_was_made_for",
    ),
    edit(
        "core/plans.py",
        "return (key[0], (key[1], wide.types_of(arrays)), *key[2:])",
        "return (key[0], (key[1], True), *key[2:])",
        f"{_TEST_WIDE}::test_a_plan_serves_the_types_that_it_was_made_for",
    ),
    edit(
        "core/plans.py",
        "self.run = wide.in_64_bits(run) if self.in_64_bits else run",
        "self.run = run",
        f"{_TEST_WIDE}::test_calls_with_64_bits_are_plans",
    ),
    edit(
        "ops/common.py",
        "if x.dtype not in NARROW or not jnp.issubdtype(x.dtype, jnp.integer):\n        return x",
        "if True:\n        return x",
        "contract/test_wide.py::test_an_index_beyond_32_bits_is_no_other_index",
    ),
    # Scopes
    edit(
        _SCOPE,
        "for scope in reversed(_local.scopes):",
        "for scope in _local.scopes:",
        f"{_TEST_STATE}::test_scopes_nest",
    ),
    edit(
        _SCOPE,
        "recording.unknown[id(variable)] = variable",
        "pass",
        "core/test_found_variables.py::test_variables_that_appear_in_every_trace_are_an_error",
    ),
    edit(
        _SCOPE,
        "recording.made.append(variable)",
        "pass",
        "control/test_function.py::test_layers_are_built_on_the_first_call",
    ),
    edit(
        _SCOPE,
        "elif is_traced(known_value(value)):",
        "elif False:",
        f"{_TEST_STATE}::test_a_compiled_function_cannot_leak_a_traced_value",
    ),
    edit(
        _SCOPE,
        "        if scope.strays:",
        "        if False:",
        f"{_TEST_STATE}::test_pure_refuses_to_lose_an_assignment",
    ),
    edit(
        _SCOPE,
        "        variable.is_lent = True",
        "        pass",
        f"{_TEST_ROBUST}::test_arrays_given_to_a_model_outlive_training",
    ),
    edit(
        _SCOPE,
        "            assign(variable, value)",
        "            pass",
        f"{_TEST_STATE}::test_value_and_grad_sees_variables_and_keeps_assignments",
    ),
    edit(
        _SCOPE,
        "        note_probabilities(extra, origins)",
        "        pass",
        "keras/losses/test_logits.py::test_outputs_of_a_gradient_keep_their_origin",
    ),
    edit(
        _SCOPE,
        "    try:\n        yield\n    finally:\n        _local.compute_dtype = saved",
        "    yield\n    _local.compute_dtype = saved",
        f"{_TEST_LAYER}::test_an_error_under_mixed_precision_ends_it",
    ),
    edit(
        _SCOPE,
        "class _Local(threading.local):",
        "class _Local:",
        f"{_TEST_STATE}::test_a_scope_belongs_to_its_thread",
    ),
    # Variables
    edit(
        _VARIABLE,
        "self.is_lent = self.is_lent or value is self._value",
        "pass",
        f"{_TEST_ROBUST}::test_tensors_taken_from_a_model_outlive_training",
    ),
    edit(
        _VARIABLE,
        "if shape != tuple(self._spec().shape) and not self._may_take(shape):",
        "if False:",
        f"{_TEST_STATE}::test_a_variable_keeps_shape_and_type",
    ),
    edit(
        _VARIABLE,
        "tensor = convert_to_tensor(tensor, as_dtype(self._spec().dtype))",
        "pass",
        f"{_TEST_STATE}::test_a_variable_keeps_shape_and_type",
    ),
    edit(
        _VARIABLE,
        "with jax.ensure_compile_time_eval(), scope.autocast(None):\n        value",
        "with scope.autocast(None):\n        value",
        f"{_TEST_STATE}::test_a_variable_made_while_tracing_holds_a_value",
    ),
    edit(
        _VARIABLE,
        "with jax.ensure_compile_time_eval(), scope.autocast(None):\n            value",
        "with jax.ensure_compile_time_eval():\n            value",
        f"{_TEST_STATE}::test_a_variable_made_under_mixed_precision_keeps_all_bits",
    ),
    edit(
        _VARIABLE,
        "clone._value = jnp.array(self._value)",
        "pass",
        "keras/engine/test_copies.py::test_a_compiled_model_goes_on_training",
    ),
    edit(
        _VARIABLE,
        " or not jnp.issubdtype(value.dtype, jnp.floating)",
        "",
        f"{_TEST_STATE}::test_autocast_changes_reads_of_floats_only",
    ),
    edit(
        _VARIABLE,
        "if None in sizes:",
        "if False:",
        f"{_TEST_STATE}::test_a_callable_initializer_needs_a_shape",
    ),
    edit(_VARIABLE, "        keep_freed_memory()", "        pass", "test_imports.py"),
    # Initial values that are drawn at their first read
    edit(
        _DEFERRED,
        '        if "_value" not in attributes:',
        "        if True:",
        f"{_TEST_DEFERRED}::test_threads_see_one_value",
    ),
    edit(
        _DEFERRED,
        "    if _local.only_shapes:",
        "    if False:",
        f"{_TEST_DEFERRED}::test_a_huge_model_costs_nothing",
    ),
    edit(
        _DEFERRED,
        "class _Local(threading.local):",
        "class _Local:",
        f"{_TEST_DEFERRED}::test_the_scope_belongs_to_its_thread",
    ),
    edit(
        _VARIABLE,
        '                vars(self).pop("_value", None)',
        "                pass",
        f"{_TEST_DEFERRED}::test_an_assignment_takes_the_place_of_the_draw",
    ),
    # The door
    edit(
        _RECORDING,
        "if id(raw) not in self._own:",
        "if True:",
        "core/test_recording.py::test_what_a_body_makes_itself_is_no_argument_of_the_loop",
    ),
    edit(
        _RECORDING,
        "    try:\n        yield\n    finally:\n        local.recorders = saved",
        "    yield\n    local.recorders = saved",
        "core/test_recording.py::test_an_op_that_fails_leaves_the_listeners",
    ),
    edit(
        "core/listening.py",
        "class _Local(threading.local):",
        "class _Local:",
        "core/test_recording.py::test_other_threads_are_not_heard",
    ),
    edit(
        _RECORDING,
        "scope.autocast(self._autocast):",
        "scope.autocast(None):",
        f"{_CAPTURED}[a loop in bfloat16]",
    ),
    edit(
        "core/op.py",
        "if known is not None and _place(known) != _place(made):",
        "if False:",
        "ops/test_names.py::test_two_ops_can_not_share_a_name",
    ),
    edit("core/op.py", "if capture.boxes:", "if False:", f"{_CAPTURED}[cond]"),
    edit(
        "core/eager.py",
        "            recorders().remove(record)",
        "            pass",
        "keras/training/test_eager.py::test_an_error_leaves_no_listener_behind",
    ),
    # Sizes that are not known
    edit(
        _PROBES,
        "is_taken = size in known or size in _local.active",
        "is_taken = size in _local.active",
        f"{_TEST_PROBES}::test_a_size_of_the_call_is_never_its_probe",
    ),
    edit(
        _PROBES,
        "    try:\n        yield\n    finally:\n        _local.active.pop()",
        "    yield\n    _local.active.pop()",
        f"{_TEST_PROBES}::test_a_failed_trace_leaves_no_trace_open",
    ),
    edit(
        _PROBES,
        "class _Local(threading.local):",
        "class _Local:",
        f"{_TEST_PROBES}::test_probes_are_unknown_only_inside_their_trace",
    ),
    edit(
        "core/symbolic.py",
        "            if not results or failures == _MOST_FAILURES:\n                raise",
        "            raise",
        f"{_TEST_PROBES}::test_sizes_that_are_or_were_probes",
    ),
    edit(
        "tensors/lost_gradients.py",
        "each.box is source or id(each.box) in made",
        "True",
        "tensors/test_lost_gradients.py::test_no_warning_without_cause",
    ),
    edit(
        "core/compiled.py",
        "weakref.finalize(self, forget, self._replay).atexit = False",
        "pass",
        "core/test_forgetting.py::test_a_function_goes_with_what_it_captured",
    ),
    edit(
        "core/kinks.py",
        "change * jnp.sign(x)",
        "change * jnp.where(x >= 0, 1, -1)",
        "tensors/gradients/test_kinks.py::test_slopes_inside_of_programs",
    ),
    edit(
        "tensors/value_checks.py",
        "jax.debug.callback(effects.kept(run, _nothing), *raws)",
        "jax.debug.callback(run, *raws)",
        "tensors/test_checks.py::test_a_function_raises_what_an_eager_call_does",
    ),
    # Values, names, seeds
    edit(
        "core/tensor.py",
        'np.array(_taken(self, "`.numpy()`"))[()]',
        'np.asarray(_taken(self, "`.numpy()`"))[()]',
        "core/test_tensor.py::test_numpy_gives_a_copy_that_can_be_written",
    ),
    edit(
        "core/names.py",
        "class _Names(threading.local):",
        "class _Names:",
        "core/test_names.py::test_a_scope_belongs_to_its_thread",
    ),
    edit(
        "core/names.py",
        'if _names.path else ""\n    finally:\n        _names.path = saved',
        'if _names.path else ""\n    finally:\n        pass',
        "core/test_names.py::test_scopes_nest_and_end",
    ),
    edit(
        _RNG,
        '_global_generator.state.assign(np.array([seed, 0], "uint32"))',
        "pass",
        f"{_TEST_STATE}::test_set_random_seed_repeats_everything",
    ),
    edit(
        _RNG,
        " or not _is_int(seed) or not 0",
        " or not 0",
        f"{_TEST_STATE}::test_a_seed_that_is_none_is_refused_and_changes_nothing",
    ),
    edit(
        _RNG,
        "int(words[0]) << 32 | int(words[1])",
        "int(words[0])",
        f"{_TEST_STATE}::test_numpy_generators_follow_the_seed",
    ),
    # Programs on disk, memory
    edit(
        _CACHE,
        "        if not _is_private(place):",
        "        if False:",
        f"{_TEST_CACHE}::test_a_place_of_somebody_elses_is_not_used",
    ),
    edit(
        _CACHE,
        "sound = mark.exists() and mark.read_text() == _checksum(entry)",
        "sound = mark.exists()",
        f"{_TEST_CACHE}::test_a_broken_entry_is_replaced_silently",
    ),
    edit(
        _CACHE,
        "sorted(kept, reverse=True)",
        "sorted(kept)",
        f"{_TEST_CACHE}::test_the_oldest_entries_go_first",
    ),
    edit(
        "core/memory.py",
        "or CONFIGURING & set(os.environ)",
        "",
        "core/test_memory.py::test_the_environment_comes_first",
    ),
]
