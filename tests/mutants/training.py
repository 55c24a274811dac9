"""Edits of `keras.training`, `keras.sources` and `keras.compiled`: what is donated, when programs are made anew, which rows come."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_ERROR_BEFORE = (
    "keras/training/test_robustness.py::"
    "test_after_an_error_in_python_that_a_step_calls_the_weights_are_those_of_before"
)

EDITS: list[Edit] = [
    edit(
        "keras/optimizers/optimizer.py",
        "if not is_known and type(self).build is Optimizer.build:",
        "if False:",
        "keras/training/test_outside_variables.py::test_an_optimizer_works_on_the_variables_of_the_first_step",
    ),
    edit(
        "keras/engine/layer.py",
        '    "dtype_policy": dtype_policies.get,\n',
        "",
        "keras/engine/test_layer.py::test_a_policy_is_set_in_any_spelling",
    ),
    edit(
        "keras/training/traces.py",
        "found = trace(run, leaves, _MADE_ANEW, refuses_weights=True)",
        "found = trace(run, leaves)",
        "keras/training/test_state_in_calls.py::test_a_weight_made_anew_is_told",
    ),
    edit(
        "keras/engine/layer.py",
        "        state.refuse_new_state(self, name, value)\n",
        "",
        "keras/training/test_state_in_calls.py::test_what_a_call_replaces_is_told",
    ),
    # Steps
    edit(
        "keras/training/trainer.py",
        """told = {"training": training} if is_known else {}""",
        """told = {"training": training}""",
        "keras/training/test_fit.py::test_a_loss_of_ones_own",
    ),
    edit(
        "keras/training/step.py",
        "[v for v in unique([*model.variables, *slots]) if v is not seeds]",
        "unique([*model.variables, *slots, seeds])",
        "keras/training/test_robustness.py::test_predict_and_calls_from_many_threads",
    ),
    edit(
        "keras/training/step.py",
        "            and _equal(self.settings, other.settings)\n",
        "",
        "keras/training/test_optimizer_settings.py::test_a_changed_setting_counts",
    ),
    edit(
        "keras/training/step.py",
        "logs = sealed(block.form.fill(outputs, lambda raw: raw))",
        "logs = block.form.fill(outputs, lambda raw: raw)",
        "keras/test_order_of_outputs.py::test_outputs_pair_with_names_by_place",
    ),
    edit(
        "keras/training/step.py",
        "            self._write_rest(rest)\n            return outputs",
        "            return outputs",
        "keras/layers/test_recurrent.py::test_predict_goes_on_from_kept_states",
    ),
    edit(
        "keras/training/step.py",
        "                    variable.is_lent = True  # what Python reads",
        "                    pass  # what Python reads",
        _ERROR_BEFORE,
    ),
    edit(
        "keras/training/step.py",
        "            if has_read and not has_met_step(error):\n                raise\n",
        "",
        _ERROR_BEFORE,
    ),
    edit(
        "keras/training/step.py",
        "        if not self._traces.has((resident, batch)):",
        "        if False:",
        "keras/training/test_compilations.py::test_a_step_that_was_there_before_goes_the_quick_way",
    ),
    edit(
        "keras/training/blocks.py",
        " or rest or traced.jaxpr.effects:",
        " or rest:",
        _ERROR_BEFORE,
    ),
    edit(
        "core/shield.py",
        "        if self._inside or _drops_exceptions(frame):",
        "        if _drops_exceptions(frame):",
        "keras/training/test_robustness.py::test_ctrl_c_within_a_step_waits_for_its_end",
    ),
    edit(
        "core/shield.py",
        "        if self._inside or _drops_exceptions(frame):",
        "        if self._inside:",
        "keras/training/test_robustness.py::test_ctrl_c_while_garbage_is_collected_is_not_lost",
    ),
    edit(
        "core/shield.py",
        "            signal.signal(signal.SIGINT, self._previous)",
        "            pass",
        "keras/training/test_robustness.py::test_ctrl_c_within_a_step_waits_for_its_end",
    ),
    edit(
        "core/shield.py",
        "threading.current_thread() is threading.main_thread()",
        "True",
        "keras/training/test_robustness.py::test_training_in_a_thread",
    ),
    edit(
        "keras/training/blocks.py",
        "if not jax.tree.leaves(logs) or rest or traced.jaxpr.effects:",
        "if not jax.tree.leaves(logs):",
        "keras/training/test_found_variables.py::test_what_a_step_assigns_outside_of_the_model_takes_effect",
    ),
    edit(
        "keras/training/blocks.py",
        "return not any(name in slow for name in primitives(traced.jaxpr.jaxpr))",
        "return True",
        "keras/training/test_blocks.py::test_convolutions_of_xla_stay_out_of_loops",
    ),
    # Epochs
    edit(
        "keras/training/loop.py",
        "return (epoch + 1) % self.validation == 0",
        "return epoch % self.validation == 0",
        "keras/training/test_fit.py::test_validation_data_and_frequency",
    ),
    edit(
        "keras/training/loop.py",
        "                model.reset_metrics()\n                run",
        "                run",
        "keras/training/test_fit.py::test_training_learns_and_evaluate_agrees",
    ),
    edit(
        "keras/training/loop.py",
        "            model.finish_training()",
        "            pass",
        "keras/training/test_data_kinds.py::test_averages_become_the_weights_at_the_end_of_fit",
    ),
    edit(
        "keras/training/loop.py",
        '        vars(model)["history"] = reports.history\n        reports.close()',
        '        vars(model)["history"] = reports.history',
        "keras/training/test_robustness.py::test_an_error_closes_what_callbacks_opened",
    ),
    edit(
        "keras/training/loop.py",
        "        if model.stop_training:\n            break\n    else",
        "        if False:\n            break\n    else",
        "keras/training/test_blocks.py::test_stop_training_stops_between_blocks",
    ),
    edit(
        "keras/training/loop.py",
        "                if model.stop_training:\n                    break\n            model",
        "                if False:\n                    break\n            model",
        "keras/training/test_robustness.py::test_nan_stops_cleanly",
    ),
    edit(
        "keras/training/loop.py",
        "each_batch or feed.is_cut or rows is None else",
        "feed.is_cut or rows is None else",
        "keras/training/test_blocks.py::test_an_overridden_batch_hook_sees_every_batch",
    ),
    edit(
        "keras/training/loop.py",
        "each_batch or feed.is_cut or rows is None else",
        "each_batch or rows is None else",
        "keras/training/test_fit.py::test_steps_per_epoch_are_the_steps_that_run",
    ),
    edit(
        "keras/training/loop.py",
        "    if len(rest) and at == len(whole):\n        rows.advance(1)",
        "    if False:\n        rows.advance(1)",
        "keras/training/test_blocks.py::test_whole_and_last_batches_are_counted",
    ),
    edit(
        "keras/training/loop.py",
        "        return np.array(parts[0])",
        "        return np.asarray(parts[0])",
        "keras/training/test_fit.py::test_predict_keeps_structures_and_can_be_written",
    ),
    # Traces
    edit(
        "keras/training/traces.py",
        "            variable.is_lent = True",
        "            pass",
        "keras/training/test_traces.py::test_a_found_variable_is_never_given_away",
    ),
    edit(
        "keras/training/traces.py",
        "if variable._value.is_deleted():",
        "if False:",
        "keras/training/test_traces.py::test_a_lost_value_is_told",
    ),
    edit(
        "keras/training/traces.py",
        "if id(variable) not in self._first:",
        "if True:",
        "keras/training/test_traces.py::test_a_found_variable_is_never_given_away",
    ),
    edit(
        "keras/training/traces.py",
        "                if found.made:",
        "                if False:",
        "keras/training/test_traces.py::test_what_the_step_makes_is_told_once_and_read_by_the_second_run",
    ),
    edit(
        "keras/training/traces.py",
        "            if found is None:\n                with",
        "            if True:\n                with",
        "keras/training/test_traces.py::test_a_step_runs_once_for_each_form",
    ),
    edit(
        "keras/training/traces.py",
        "(leaf.shape, leaf.dtype) for leaf in leaves",
        "leaf.shape for leaf in leaves",
        "keras/training/test_traces.py::test_a_step_runs_once_for_each_form",
    ),
    edit(
        "keras/training/step.py",
        "                variable.is_lent = False",
        "                pass",
        "keras/training/test_runs_once.py::test_arrays_that_the_user_may_hold_are_copied_once",
    ),
    edit(
        "keras/training/step.py",
        "        self._take(self._find_reach())",
        "        pass",
        "keras/training/test_runs_once.py::test_what_the_first_run_makes_is_state_as_if_it_had_been_there",
    ),
    edit(
        "keras/training/step.py",
        "        if self._traces.errors is not None:",
        "        if False:",
        "keras/training/test_runs_once.py::test_an_error_of_python_that_the_step_calls_back_is_raised_as_it_is",
    ),
    edit(
        "control/autograph/loops.py",
        "if not turn.has_condition or wants_gradients():",
        "if not turn.has_condition:",
        "control/autograph/test_tensors.py::test_gradients_of_loops_that_end_by_a_condition",
    ),
    # Programs
    edit(
        "keras/training/programs.py",
        " or program.made_at != change_count()",
        "",
        "keras/training/test_robustness.py::test_a_replaced_layer_counts_at_the_next_call",
    ),
    edit(
        "keras/training/programs.py",
        " or not program.contents.is_current()",
        "",
        "keras/engine/test_containers.py",
    ),
    edit(
        "keras/training/programs.py",
        "    source.check(model.check_batch)",
        "    pass",
        "keras/training/test_robustness.py::test_labels_beyond_the_classes",
    ),
    edit(
        "keras/training/programs.py",
        "        if not isinstance(outputs, dict):",
        "        if False:",
        "keras/training/test_data_kinds.py::test_a_step_that_returns_no_dict",
    ),
    edit(
        "keras/training/programs.py",
        "        with model.as_compiled():\n            outputs = step(data)",
        "        if True:\n            outputs = step(data)",
        "keras/training/test_trainable.py::test_thawing_counts_from_the_next_compile",
    ),
    edit(
        "keras/training/trainer.py",
        "            self._as_compiled.keep(self)",
        "            pass",
        "keras/training/test_trainable.py::test_a_change_before_the_first_fit_waits_too",
    ),
    edit(
        "keras/training/trainer.py",
        "if x is model or not isinstance(x, Trainer)",
        "",
        "keras/training/test_outputs.py::test_a_compiled_model_inside_another_keeps_its_metrics_to_itself",
    ),
    edit(
        "keras/training/trainer.py",
        "or scales or not auto_scale_loss or not is_half",
        "or scales or not is_half",
        "keras/optimizers/test_loss_scale.py::test_compile_wraps_once_and_only_where_asked",
    ),
    edit(
        "keras/training/trainer.py",
        "or scales or not auto_scale_loss or not is_half",
        "or not auto_scale_loss or not is_half",
        "keras/optimizers/test_loss_scale.py::test_compile_wraps_once_and_only_where_asked",
    ),
    edit(
        "keras/training/trainer.py",
        "return self.optimizer.scale_loss(loss), (loss, y_pred)",
        "return loss, (loss, y_pred)",
        "keras/optimizers/test_loss_scale.py::test_gradients_below_float16_reach_the_weights",
    ),
    edit(
        "keras/training/trainer.py",
        "(eager if self.run_eagerly else scope).value_and_grad",
        "scope.value_and_grad",
        "keras/training/test_eager.py::test_tensors_kept_in_a_step_can_be_looked_at_afterwards",
    ),
    # Losses and metrics
    edit(
        "keras/compiled/loss.py",
        "            if targets[i] is None:",
        "            if False:",
        "keras/training/test_robustness.py::test_bad_input_is_told_and_harms_nothing",
    ),
    edit(
        "keras/metrics/base.py",
        "        for metric in tracking.own_metrics(self):\n            metric.reset_state()",
        "        pass",
        "keras/metrics/test_base.py",
    ),
    # Data
    edit(
        "keras/sources/arrays.py",
        'if random is not None and self._shuffle != "batch":',
        "if random is not None:",
        "keras/sources/test_sources.py::test_shuffled_batches_keep_their_rows_together",
    ),
    edit(
        "keras/sources/arrays.py",
        "            resident\n            and not self._is_sparse",
        "            resident",
        "keras/training/test_data_kinds.py::test_sparse_rows_become_dense_batch_by_batch",
    ),
    edit(
        "keras/sources/arrays.py",
        'itertools.islice(parts, self._state["used"], None)',
        "parts",
        "keras/sources/test_sources.py::test_a_pass_goes_on_where_it_stood",
    ),
    edit(
        "keras/sources/class_weight.py",
        "weights = weights * np.asarray(sample_weight)",
        "weights = weights + 0 * np.asarray(sample_weight)",
        "keras/training/test_fit.py::test_weights_of_samples_and_classes",
    ),
    edit(
        "keras/sources/class_weight.py",
        "    if labels.ndim > 2:",
        "    if False:",
        "keras/training/test_data_kinds.py::test_bad_input",
    ),
    edit(
        "keras/sources/class_weight.py",
        "wrong = [key for key in class_weight if int(key) >= classes]",
        "wrong = []",
        "keras/training/test_data_kinds.py::test_class_weights_of_classes_that_the_model_lacks",
    ),
    edit(
        "keras/sources/source.py",
        "self.is_cut = steps is not None",
        "self.is_cut = False",
        "keras/training/test_fit.py::test_steps_per_epoch_runs_on_across_epochs",
    ),
    edit(
        "keras/sources/source.py",
        "empty_passes < 2:",
        "empty_passes < 1:",
        "keras/training/test_data_kinds.py::test_an_iterable_that_ends_with_its_steps_begins_anew_in_the_next_epoch",
    ),
    edit(
        "keras/sources/streams.py",
        "        elif form != self._form:",
        "        elif False:",
        "keras/training/test_data_kinds.py::test_a_batch_of_another_structure",
    ),
    edit(
        "keras/sources/streams.py",
        "        if self._check is not None:\n            self._check(batch)",
        "        if False:\n            self._check(batch)",
        "keras/sources/test_sources.py::test_a_check_sees_every_row",
    ),
    edit(
        "keras/sources/streams.py",
        "if self._restarts and not self._is_fresh:",
        "if False:",
        "keras/training/test_data_kinds.py::test_an_iterable_is_validation_data_in_every_epoch",
    ),
    edit(
        "keras/sources/streams.py",
        "        self._dataset.on_epoch_end()",
        "        pass",
        "keras/sources/test_sources.py::test_a_data_set_is_told_where_an_epoch_begins_and_ends",
    ),
    edit(
        "keras/sources/streams.py",
        "        common_length(batch)\n",
        "",
        "keras/training/test_robustness.py::test_bad_input_is_told_and_harms_nothing",
    ),
    edit(
        "keras/sources/convert.py",
        "    if any(other != length for _, other in lengths):",
        "    if False:",
        "keras/training/test_robustness.py::test_bad_input_is_told_and_harms_nothing",
    ),
    edit(
        "keras/sources/convert.py",
        "    if cut in (0, length):",
        "    if False:",
        "keras/training/test_robustness.py::test_bad_input_is_told_and_harms_nothing",
    ),
    edit(
        "keras/sources/convert.py",
        "lambda a: a[:cut], data), tree_map(lambda a: a[cut:]",
        "lambda a: a[-cut:], data), tree_map(lambda a: a[:-cut]",
        "keras/training/test_fit.py::test_validation_split_takes_the_last_rows",
    ),
    edit(
        "keras/sources/streams.py",
        "self._sample = self._read_ahead = self._prepared",
        "self._sample = self._prepared",
        "keras/sources/test_sources.py::test_the_first_batch_is_not_used_up",
    ),
]
