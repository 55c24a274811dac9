"""Edits of `keras.optimizers` and `keras.callbacks`: scales, averages, accumulated gradients; which epoch is better."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

EDITS: list[Edit] = [
    # Callbacks
    edit(
        "keras/callbacks/monitor_callback.py",
        "            return not _is_nan(value)",
        "            return True",
        "keras/callbacks/test_monitoring.py::test_nan_is_worse_than_any_number_and_no_better_than_nan",
    ),
    edit(
        "keras/callbacks/monitor_callback.py",
        'return monitor.removeprefix("val_")',
        "return monitor",
        "keras/callbacks/test_monitoring.py::test_a_metric_of_the_model_knows_better_than_its_name",
    ),
    edit(
        "keras/callbacks/early_stopping.py",
        "    def on_train_begin(self, logs: Logs = None) -> None:\n        self._reset()",
        "    def on_train_begin(self, logs: Logs = None) -> None:\n        pass",
        "keras/callbacks/test_monitoring.py::test_a_stopper_can_be_used_again",
    ),
    edit(
        "keras/callbacks/early_stopping.py",
        "if current is None or epoch < self.start_from_epoch:",
        "if current is None:",
        "parity/test_callbacks.py::test_early_stopping",
    ),
    edit(
        "keras/callbacks/early_stopping.py",
        "if self.baseline is None or self._is_improvement(current, self.baseline):",
        "if True:",
        "parity/test_callbacks.py::test_early_stopping",
    ),
    edit(
        "keras/callbacks/model_checkpoint.py",
        "new_epoch = batch <= self._last_batch",
        "new_epoch = False",
        "keras/callbacks/test_monitoring.py::test_checkpoint_in_blocks_of_steps_saves_at_the_same_rate",
    ),
    edit(
        "keras/callbacks/model_checkpoint.py",
        "        self.best = current",
        "        pass",
        "keras/callbacks/test_monitoring.py::test_nan_is_worse_than_any_number_and_no_better_than_nan",
    ),
    edit(
        "keras/callbacks/state.py",
        "setattr(callback, name, copy.deepcopy(state[name]))",
        "setattr(callback, name, state[name])",
        "keras/callbacks/test_state.py::test_what_was_stored_stays_when_training_goes_on",
    ),
    edit(
        "keras/callbacks/state.py",
        "name: copy.deepcopy(getattr(callback, name))",
        "name: getattr(callback, name)",
        "keras/callbacks/test_state.py::test_state_is_data_and_a_copy",
    ),
    edit(
        "keras/callbacks/csv_logger.py",
        'if old and not old.endswith(("\\n", "\\r")):',
        "if False:",
        "keras/callbacks/test_small_callbacks.py::test_csv_append_goes_on_in_the_columns_of_the_file",
    ),
    edit(
        "keras/callbacks/csv_logger.py",
        "        self._file.flush()",
        "        pass",
        "keras/callbacks/test_small_callbacks.py::test_csv_rows_are_there_before_the_end",
    ),
    edit(
        "keras/callbacks/callback_list.py",
        '    if hook in getattr(callback, "__dict__", ()):\n        return True',
        "    if False:\n        return True",
        "keras/callbacks/test_callback_list.py::test_needs_batches",
    ),
    # Optimizers
    edit(
        "keras/optimizers/optimizer.py",
        "        with scope.autocast(None):  # updates",
        "        with scope.autocast(scope.autocast_dtype()):  # updates",
        "keras/optimizers/test_optimizer.py::test_updates_ignore_mixed_precision",
    ),
    edit(
        "keras/optimizers/optimizer.py",
        "            if variable.constraint is not None:",
        "            if False:",
        "keras/optimizers/test_optimizer.py::test_constraints_hold_after_every_update",
    ),
    edit(
        "keras/optimizers/optimizer.py",
        "        if len(grads) != len(targets):",
        "        if False:",
        "keras/optimizers/test_optimizer.py::test_bad_input",
    ),
    edit(
        "keras/optimizers/slots.py",
        "        if slot.name not in made:\n            raise",
        "        if False:\n            raise",
        "keras/training/test_optimizer_settings.py::test_momentum_without_its_variables_is_refused",
    ),
    edit(
        "keras/optimizers/optimizer.py",
        "scope.read(self._iterations) // self.gradient_accumulation_steps",
        "scope.read(self._iterations)",
        "keras/optimizers/test_optimizer.py::test_accumulation_updates_with_the_mean",
    ),
    edit(
        "keras/optimizers/loss_scale_optimizer.py",
        "inner_optimizer.loss_scale_factor = None  #",
        "pass  #",
        "keras/optimizers/test_loss_scale.py::test_options_of_the_inner_optimizer_hold",
    ),
    edit(
        "keras/optimizers/loss_scale_optimizer.py",
        "        self.step_counter.assign(0)",
        "        pass",
        "keras/optimizers/test_loss_scale.py::test_the_factor_grows_and_shrinks_and_bad_steps_change_nothing_else",
    ),
    edit(
        "keras/optimizers/loss_scale_optimizer.py",
        "grows = count == self.dynamic_growth_steps - 1",
        "grows = count == self.dynamic_growth_steps",
        "keras/optimizers/test_loss_scale.py::test_the_factor_grows_and_shrinks_and_bad_steps_change_nothing_else",
    ),
    edit(
        "keras/optimizers/loss_scale_optimizer.py",
        "if gradient is None or variable.overwrite_with_gradient",
        "if gradient is None",
        "keras/optimizers/test_loss_scale.py::test_gradients_that_are_missing_or_taken_as_they_are",
    ),
    edit(
        "keras/optimizers/loss_scale_optimizer.py",
        "[*super().settings(), *self.inner_optimizer.settings()]",
        "super().settings()",
        "keras/training/test_optimizer_settings.py::test_a_changed_setting_counts",
    ),
    edit(
        "keras/optimizers/averages.py",
        "jnp.where(step == 0, 0.0, momentum)",
        "jnp.asarray(momentum)",
        "keras/optimizers/test_optimizer.py::test_averages_replace_weights_at_the_end",
    ),
    edit(
        "keras/optimizers/averages.py",
        "due = (step + 1) % overwrite_frequency == 0",
        "due = step % overwrite_frequency == 0",
        "parity/test_optimizers.py::test_ten_steps[SGD-averaged_weights]",
    ),
    edit(
        "keras/optimizers/accumulation.py",
        "for each in all_sums:",
        "for each in sums:",
        "keras/optimizers/test_optimizer.py::test_a_round_of_accumulation_leaves_nothing_for_the_next",
    ),
    edit(
        "keras/optimizers/gradients.py",
        "        if gradient is None:\n            continue",
        "        if gradient is None:\n            gradient = 0 * scope.read(variable)",
        "keras/optimizers/test_optimizer.py::test_a_variable_without_a_gradient_stays_whatever_came_before",
    ),
    edit(
        "keras/optimizers/gradients.py",
        "        if raw.shape != stored.shape:",
        "        if False:",
        "keras/optimizers/test_optimizer.py::test_bad_input",
    ),
    edit(
        "keras/optimizers/gradients.py",
        "wide = gradient.astype(jnp.promote_types(gradient.dtype, jnp.float32))",
        "wide = gradient",
        "keras/optimizers/test_gradients.py::test_squares_of_half_precision_do_not_overflow",
    ),
    edit(
        "keras/optimizers/state.py",
        "        if len(store.keys()) != len(variables):",
        "        if False:",
        "keras/optimizers/test_optimizer.py::test_saving_and_loading",
    ),
]
