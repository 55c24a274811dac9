"""Edits of `keras.registry` and `keras.models`: names that are looked up, graphs that come back."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

EDITS: list[Edit] = [
    # Names and configurations
    edit(
        "keras/registry/reading.py",
        "    if tables.is_keras_module(module):",
        "    if False:",
        "keras/registry/test_names.py::test_a_keras_module_means_ours",
    ),
    edit(
        "keras/registry/reading.py",
        '    if name == "__lambda__":',
        "    if False:",
        "keras/registry/test_names.py::test_code_is_neither_written_nor_run",
    ),
    edit(
        "keras/registry/reading.py",
        "reversed(_local.unbuilt)",
        "_local.unbuilt",
        "keras/registry/test_names.py::test_layers_inside_are_built_by_the_outer_one",
    ),
    edit(
        "keras/registry/reading.py",
        "        if not _local.depth:\n            _local.unbuilt.clear()",
        "        pass",
        "keras/registry/test_names.py::test_what_could_not_be_built_is_forgotten",
    ),
    edit(
        "keras/registry/custom.py",
        "class _Local(threading.local):",
        "class _Local:",
        "keras/registry/test_names.py::test_a_scope_belongs_to_its_thread",
    ),
    edit(
        "keras/registry/custom.py",
        "*reversed(_local.scopes), _registered",
        "_registered, *reversed(_local.scopes)",
        "keras/registry/test_names.py::test_a_scope_comes_before_what_is_registered",
    ),
    edit(
        "keras/registry/custom.py",
        "        _local.scopes.pop()",
        "        pass",
        "keras/registry/test_names.py::test_a_scope_comes_before_what_is_registered",
    ),
    edit(
        "keras/registry/writing.py",
        'if not name or name == "<lambda>":',
        "if not name:",
        "keras/registry/test_names.py::test_code_is_neither_written_nor_run",
    ),
    edit(
        "keras/registry/writing.py",
        "name if is_private else None",
        "None",
        "keras/models/test_functional.py::test_a_model_is_written_as_keras_writes_it",
    ),
    # Models
    edit(
        "keras/models/clone.py",
        "        if id(layer) not in self.clones:",
        "        if True:",
        "keras/models/test_clone.py::test_a_clone_is_the_same_form",
    ),
    edit(
        "keras/models/clone.py",
        'if hasattr(value, "variables") and hasattr(value, "get_config"):',
        "if False:",
        "keras/models/test_clone.py::test_a_compiled_model",
    ),
    edit(
        "keras/models/model.py",
        "        if type(self).compile is not Trainer.compile:",
        "        if False:",
        "keras/models/test_compile_config.py::test_a_compile_of_its_own",
    ),
    edit(
        "keras/models/model.py",
        "        if self.built:\n            self.optimizer.build",
        "        if False:\n            self.optimizer.build",
        "keras/models/test_compile_config.py::test_a_model_comes_back_compiled",
    ),
    edit(
        "keras/models/model.py",
        "            value = value[..., 0]",
        "            pass",
        "keras/models/test_functional.py::test_inputs_are_fitted_to_the_graph",
    ),
    edit(
        "keras/models/model.py",
        "            value._keras_mask = mask",
        "            pass",
        "keras/models/test_functional.py::test_a_mask_reaches_the_layers_inside",
    ),
    edit(
        "keras/models/sequential.py",
        "if any(each.name == layer.name for each in self._layers):",
        "if False:",
        "keras/models/test_sequential.py::test_what_can_not_be_added",
    ),
    edit(
        "keras/models/sequential.py",
        "shape = (None, *tuple(input_shape)[1:])",
        "shape = tuple(input_shape)",
        "keras/models/test_sequential.py::test_without_an_input_the_first_use_builds",
    ),
    edit(
        "keras/models/sequential.py",
        "self._graph, self.built = None, False",
        "pass",
        "keras/models/test_sequential.py::test_add_and_pop",
    ),
    edit(
        "keras/models/functional_config.py",
        "ready = name not in blocked and all(",
        "ready = all(",
        "keras/models/test_functional.py::test_the_calls_of_a_layer_keep_their_order",
    ),
    edit(
        "keras/models/functional_config.py",
        'del kwargs["training"]',
        "pass",
        "keras/models/test_functional.py::test_the_default_mode_that_keras_writes_is_none",
    ),
    edit(
        "keras/models/functional_config.py",
        "return {EXPLICIT_MODE: True} if _has_default_mode(operation, kwargs) else {}",
        "return {}",
        "keras/models/test_functional.py::test_a_mode_of_training_is_kept_where_the_user_gave_it",
    ),
    edit(
        "keras/models/functional_config.py",
        "index + _first_call(tensor.node.operation)",
        "index",
        "keras/models/test_functional.py::test_models_in_models_in_models_come_back",
    ),
    edit(
        "keras/models/operations.py",
        "if wrong := [key for key, value in unknown.items() if value not in (None, False)]:",
        "if wrong := []:",
        "keras/models/test_functional.py::test_a_broken_op_is_named",
    ),
]
