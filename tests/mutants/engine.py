"""Edits of `keras.engine`: building, calling, masks, losses, what trains, graphs."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_BUILDING, _CALLING = "keras/engine/building.py", "keras/engine/calling.py"
_LOSSES, _STATE, _TRAINABILITY = (
    "keras/engine/losses.py",
    "keras/engine/state.py",
    "keras/engine/trainability.py",
)
_GRAPH = "keras/engine/graph.py"
_LAYER, _COPIES = "keras/engine/test_layer.py", "keras/engine/test_copies.py"
_FLAGS = "keras/engine/test_trainability.py"
_TRAINABLE, _FUNCTIONAL = "keras/training/test_trainable.py", "keras/models/test_functional.py"

EDITS: list[Edit] = [
    edit(
        "keras/engine/call_settings.py",
        "name in _OF_TRAINING or not hasattr(base, name) for name in names",
        "name in (_OF_TRAINING | {'call'}) or not hasattr(base, name) for name in names",
        "keras/engine/test_kept_calls.py::test_a_users_class_that_only_trains_a_graph_is_one_computation",
    ),
    # Kept calls
    edit(
        "keras/engine/kept_call.py",
        "(bool(self._losing) or not _are_apart(layer))",
        "False",
        "keras/engine/test_kept_calls.py::test_a_tape_sees_how_one_output_is_made_of_another",
    ),
    # Building
    edit(
        _STATE,
        "return layer.built and not layer._is_building and current_context() is not None",
        "return False",
        f"{_LAYER}::test_weights_made_in_call_are_refused",
    ),
    edit(
        _BUILDING,
        "    with _build_lock:\n        if layer.built:",
        "    with _build_lock:\n        if False:",
        f"{_LAYER}::test_first_calls_from_many_threads_build_once",
    ),
    edit(
        _BUILDING,
        "    if not layer.built or layer._is_building:",
        "    if not layer.built:",
        f"{_LAYER}::test_a_thread_waits_for_a_build_that_says_too_early_that_it_is_done",
    ),
    edit(
        _BUILDING,
        "                _restore(self, attributes)",
        "                pass",
        f"{_LAYER}::test_a_failed_build_can_be_tried_again",
    ),
    edit(
        _BUILDING,
        "without_probes(shape_of(value))",
        "shape_of(value)",
        f"{_LAYER}::test_inner_layers_built_while_tracing_know_no_batch_size",
    ),
    edit(
        _BUILDING,
        "    check_specs(layer, tensors)\n    if not layer.built",
        "    if not layer.built",
        "keras/layers/test_arguments.py::test_a_refused_input_leaves_the_layer_as_it_was",
    ),
    edit(
        _BUILDING,
        "        if layer._first_weights is not None:",
        "        if False:",
        f"{_LAYER}::test_first_values_of_weights",
    ),
    # Calling
    edit(
        _CALLING,
        "    cast._keras_mask = x._keras_mask",
        "    pass",
        f"{_LAYER}::test_an_input_that_is_cast_keeps_its_mask",
    ),
    edit(
        _CALLING,
        "if not any(note.startswith(_IN_LAYER)",
        "if True or not any(note.startswith(_IN_LAYER)",
        f"{_LAYER}::test_errors_in_call_are_told_where_they_happened",
    ),
    edit(
        _CALLING,
        "        training = context.training",
        "        pass",
        f"{_LAYER}::test_training_reaches_inner_layers",
    ),
    edit(
        _CALLING,
        '        training = call.signature.defaults.get("training")',
        "        pass",
        f"{_LAYER}::test_the_default_of_training_counts_where_nobody_says",
    ),
    edit(
        _CALLING,
        "wanted in signature.names and arguments.get(wanted) is None:",
        "wanted in signature.names:",
        f"{_LAYER}::test_masks_go_through_layers_that_support_them",
    ),
    edit(
        _CALLING,
        "if not call.tensors or not layer.supports_masking:",
        "if not call.tensors:",
        f"{_LAYER}::test_masks_end_at_layers_that_do_not_support_them",
    ),
    edit(
        _CALLING,
        " and each is not None and tensor._keras_mask is None",
        " and each is not None",
        f"{_LAYER}::test_a_mask_that_a_layer_sets_itself_is_kept",
    ),
    edit(
        _CALLING,
        "mixed = layer.autocast and layer.compute_dtype",
        "mixed = layer.compute_dtype",
        f"{_LAYER}::test_without_autocast_weights_and_inputs_stay_as_they_are",
    ),
    edit(
        "keras/engine/context.py",
        "        _local.context = self._outer",
        "        pass",
        f"{_LAYER}::test_losses_of_calls_and_of_weights",
    ),
    edit(
        "keras/engine/context.py",
        "self.is_outermost = fresh or self._outer is None",
        "self.is_outermost = self._outer is None",
        f"{_LAYER}::test_what_a_stateless_call_adds_stays_out_of_the_call_around_it",
    ),
    edit(
        "keras/engine/symbolic.py",
        "with scope.StateScope(), call_context(fresh=True):",
        "with call_context(fresh=True):",
        f"{_LAYER}::test_a_symbolic_call_changes_no_state",
    ),
    edit(
        "keras/engine/input_spec.py",
        "shape[axis] not in (size, None):",
        "shape[axis] != size:",
        f"{_LAYER}::test_a_size_that_is_not_known_yet_is_no_wrong_size",
    ),
    # Losses
    edit(
        _LOSSES,
        "kept = [] if any(is_traced(unwrap(x)) for _, x in losses) else losses",
        "kept = losses",
        f"{_LAYER}::test_losses_of_a_compiled_call_do_not_stay",
    ),
    edit(_LOSSES, " / samples)", ")", f"{_LAYER}::test_activity_regularizer"),
    edit(
        _LOSSES,
        "        if each is not layer:",
        "        if False:",
        f"{_LAYER}::test_losses_of_calls_and_of_weights",
    ),
    edit(
        _LOSSES,
        "for v in layer.trainable_weights if",
        "for v in layer.weights if",
        f"{_LAYER}::test_frozen_weights_are_not_penalised",
    ),
    edit(
        _LOSSES,
        "    if not layer.built:",
        "    if False:",
        f"{_LAYER}::test_errors_say_what_to_do",
    ),
    # Weights, and which of them train
    edit(
        _STATE,
        "        if value.shape != tuple(variable.shape):",
        "        if False:",
        f"{_LAYER}::test_set_weights_is_all_or_nothing",
    ),
    edit(
        _STATE,
        "[v for v in own if v.made_trainable] + [v for v in own if not v.made_trainable]",
        "own",
        f"{_LAYER}::test_weights_that_train_come_first",
    ),
    edit(
        _TRAINABILITY,
        "    if not is_trainable(layer):\n        return []",
        "",
        f"{_LAYER}::test_what_is_thawed_inside_a_frozen_layer_stays_frozen",
    ),
    edit(
        _STATE,
        "    if len(store) != len(own):",
        "    if False:",
        f"{_LAYER}::test_weights_in_a_store_must_be_as_many",
    ),
    edit(
        _TRAINABILITY,
        "return _local.open[-1].of(holder) if _local.open else holder._trainable",
        "return holder._trainable",
        f"{_TRAINABLE}::test_freezing_counts_from_the_next_compile",
    ),
    edit(
        _TRAINABILITY,
        "        self._told = set(map(id, differing))",
        "        pass",
        f"{_TRAINABLE}::test_each_change_is_told_once_and_a_change_back_not_at_all",
    ),
    edit(
        _TRAINABILITY,
        "        self._kept = {id(holder): (holder, flag) for holder, flag in self._kept.values()}",
        "        pass",
        f"{_COPIES}::test_what_a_copy_trains_was_settled_at_compile",
    ),
    edit(
        _TRAINABILITY,
        "_, flag = self._kept.setdefault(id(layer), (layer, layer._trainable))",
        "_, flag = self._kept[id(layer)] = (layer, layer._trainable)",
        f"{_TRAINABLE}::test_two_compiled_models_share_a_judge",
    ),
    edit(
        _TRAINABILITY,
        "class _Local(threading.local):",
        "class _Local:",
        f"{_TRAINABLE}::test_other_threads_see_the_flags_as_they_are",
    ),
    edit(
        _TRAINABILITY,
        "        if variable.made_trainable:",
        "        if True:",
        f"{_FLAGS}::test_state_is_never_thawed_and_keeps_its_place",
    ),
    edit(
        _STATE,
        "    if layer._trainable is False:",
        "    if False:",
        f"{_FLAGS}::test_what_a_frozen_layer_gets_later_is_frozen",
    ),
    edit(
        "keras/engine/layer.py",
        "        state.forget_replaced(self, name, value)",
        "        pass",
        "keras/engine/test_weight_protocol.py::test_a_replaced_weight_is_forgotten",
    ),
    edit(
        "keras/engine/tracking.py",
        "    elif isinstance(value, (list, tuple, set)):",
        "    elif isinstance(value, (list, tuple)):",
        f"{_LAYER}::test_layers_in_a_set_are_found",
    ),
    edit(
        "keras/engine/configuration.py",
        '    if "trainable" not in accepted and',
        "    if False and",
        f"{_LAYER}::test_config_of_a_layer_that_stores_nothing_is_what_it_was_given",
    ),
    # Graphs
    edit(
        _GRAPH,
        "if not flat or len(leaves) != len(flat):",
        "if not flat:",
        f"{_FUNCTIONAL}::test_what_is_no_graph_is_refused",
    ),
    edit(
        _GRAPH,
        "    if twice:",
        "    if False:",
        f"{_FUNCTIONAL}::test_two_layers_of_one_name_are_refused",
    ),
    edit(
        _GRAPH,
        "keys = keys_of(self.inputs) if isinstance(self.inputs, dict) else names",
        "keys = names",
        f"{_FUNCTIONAL}::test_dicts_of_inputs_and_outputs",
    ),
    edit(
        _GRAPH,
        "        if isinstance(node.operation, InputLayer):\n            raise",
        "        if False:\n            raise",
        f"{_FUNCTIONAL}::test_what_is_no_graph_is_refused",
    ),
    # Calls that are kept as programs
    edit(
        "keras/engine/call_settings.py",
        "all(map(same, _items(container), items))",
        "True",
        "keras/engine/test_kept_calls.py::test_a_change_is_seen",
    ),
    edit(
        "keras/engine/call_settings.py",
        "if len(attributes) != len(values) or not all(map(same, attributes.values(), values)):",
        "if len(attributes) != len(values):",
        "keras/engine/test_kept_calls.py::test_a_change_is_seen",
    ),
    edit(
        "keras/engine/call_settings.py",
        "                raise NotOwn(value) from None",
        "                return",
        "keras/engine/test_kept_calls.py::test_python_of_users_runs_at_each_call",
    ),
    edit(
        "core/compiled.py",
        "for variable in self._reading if keeps else self._handed_on:",
        "for variable in self._handed_on:",
        "keras/engine/test_kept_calls.py::test_a_tape_sees_one_computation",
    ),
    edit(
        "keras/engine/contents.py",
        "if kept is None or kept[0] != change_count() or not kept[1].is_current():",
        "if kept is None or kept[0] != change_count():",
        f"{_FLAGS}::test_trainable_weights_are_found_anew_after_a_change",
    ),
]
