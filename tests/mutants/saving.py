"""Edits of `keras.saving`, `keras.registry` and `keras.models`: files that are whole, names that are looked up, graphs that come back."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

EDITS: list[Edit] = [
    # Files of weights
    edit(
        "keras/utils/atomic.py",
        "            os.unlink(part)",
        "            pass",
        "keras/saving/test_weights_h5.py::test_a_failing_write_leaves_the_old_file",
    ),
    edit(
        "keras/utils/atomic.py",
        "            yield file\n            file.flush()",
        "            open(target, 'wb').close()\n            yield file\n            file.flush()",
        "keras/saving/test_weights_h5.py::test_a_failing_write_leaves_the_old_file",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if type(found.get(part, getlink=True)) is not h5py.HardLink:",
        "        if False:",
        "keras/saving/test_weights_h5.py::test_links_are_not_followed",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if found.is_virtual or found.external:",
        "        if False:",
        "keras/saving/test_weights_h5.py::test_data_in_other_files_is_not_read",
    ),
    edit(
        "keras/saving/h5_store.py",
        '        if found.dtype.kind not in "fiubV":',
        "        if False:",
        "keras/saving/test_weights_h5.py::test_what_is_no_array_of_numbers_is_told",
    ),
    edit(
        "keras/saving/h5_store.py",
        "        if not isinstance(found, self._h5py.Dataset):",
        "        if False:",
        "keras/saving/test_weights_h5.py::test_what_is_no_array_of_numbers_is_told",
    ),
    edit(
        "keras/saving/h5_store.py",
        '        if array.dtype.name == "bfloat16":',
        "        if False:",
        "keras/saving/test_weights_h5.py::test_bfloat16_is_written_as_keras_writes_it",
    ),
    edit(
        "keras/saving/h5_store.py",
        '        if found.attrs.get("dtype") == "bfloat16" and value.dtype.itemsize == 2:',
        "        if False:",
        "keras/saving/test_weights_h5.py::test_bfloat16_is_written_as_keras_writes_it",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "            for each in found:\n                each.undo()",
        "",
        "keras/saving/test_weights_h5.py::test_what_an_own_method_changed_is_taken_back",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "            undo()\n            said",
        "            said",
        "keras/saving/test_weights_h5.py::test_what_an_own_method_changed_is_taken_back",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "        if problems and not skip_mismatch:",
        "        if problems:",
        "keras/saving/test_weights_h5.py::test_another_head_is_left_as_it_is",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "        for name in sorted(set(self.store) - names):",
        "        for name in ():",
        "keras/saving/test_weights_h5.py::test_more_weights_than_the_layer_has_are_told",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "            if problem is None and shape != tuple(variable.shape):",
        "            if False:",
        "keras/saving/test_weights_h5.py::test_another_shape_is_told_by_path",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "        if not self.problems:\n            self.finish",
        "        if True:\n            self.finish",
        "keras/saving/test_weights_h5.py::test_a_layer_is_loaded_whole_or_not_at_all",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "shapes == [tuple(v.shape) for v in variables] and len",
        "len",
        "keras/saving/test_weights_h5.py::test_an_optimizer_of_other_weights_starts_anew",
    ),
    edit(
        "keras/saving/weights_h5.py",
        "    if not overwrite and os.path.exists(path):",
        "    if False:",
        "keras/saving/test_weights_h5.py::test_bad_calls",
    ),
    edit(
        "keras/saving/places.py",
        "seen = {id(each) for each in skipped}",
        "seen = set()",
        "keras/saving/test_weights_h5.py::test_layers_to_skip",
    ),
    edit(
        "keras/saving/places.py",
        'item[0].startswith("_"), item[0]',
        'not item[0].startswith("_"), item[0]',
        "keras/saving/test_weights_h5.py::test_another_shape_is_told_by_path",
    ),
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
