"""Edits of what reads the files of before Keras 3: `.h5`, SavedModel folders, their configurations."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_WEIGHTS, _OPTIMIZER = "keras/saving/legacy_weights.py", "keras/saving/legacy_optimizer.py"
_FOLDER, _OLD = "keras/saving/saved_model.py", "keras/saving/old_models.py"
_NAMES, _LAYERS = "keras/saving/keras2/names.py", "keras/saving/keras2/layers.py"
_CALLS, _COMPILING = "keras/saving/keras2/calls.py", "keras/saving/keras2/compiling.py"
_FUNCTIONS = "keras/models/tensorflow_functions.py"
_H5, _FOLDERS = "keras/saving/test_legacy_h5.py", "keras/saving/test_saved_model.py"
_CONFIGS = "keras/saving/test_keras2.py"
_KERAS_1 = "keras/saving/keras2/keras1.py"
_WHOLE = "keras/saving/legacy_h5.py"
_RAW, _RAW_OPS = "keras/saving/keras2/raw_ops.py", "keras/saving/test_raw_ops.py"
_CUDNN = "keras/saving/cudnn_weights.py"
_OPTIMIZERS = "keras/saving/test_legacy_optimizers.py"

EDITS: list[Edit] = [
    edit(
        _WEIGHTS,
        "    if by_name or set(filled) == {each.name for each in layers}:",
        "    if by_name:",
        f"{_H5}::test_names_tell_the_layers_apart",
    ),
    edit(
        _WEIGHTS,
        "    if named is not None:\n",
        "    if False:\n",
        f"{_H5}::test_names_tell_frozen_layers_from_others",
    ),
    edit(
        _WEIGHTS,
        "    return [_in_order(layer), thawed, every]",
        "    return [_in_order(layer)]",
        f"{_H5}::test_what_is_frozen_changes_the_order_in_the_file_alone",
    ),
    edit(
        _OPTIMIZER,
        "        slots.setdefault(path[-1] if at_end else",
        "        slots.setdefault(path[-1] if False else",
        f"{_H5}::test_compiled_models_of_keras_2",
    ),
    edit(
        _WHOLE,
        'version.startswith("3"))',
        "not version)",
        f"{_H5}::test_hard_sigmoid_is_the_function_of_its_version",
    ),
    edit(
        _LAYERS,
        "    return layer_config(_with_old_activations(keras1.translated(config)))",
        "    return layer_config(keras1.translated(config))",
        f"{_H5}::test_hard_sigmoid_is_the_function_of_its_version",
    ),
    edit(
        _WEIGHTS,
        "    if stored.of_theano:",
        "    if False:",
        f"{_H5}::test_kernels_that_theano_ran_through_backwards",
    ),
    edit(
        _KERAS_1,
        '    if "nb_filter" in inner:',
        "    if False:",
        "keras/saving/test_keras1.py::test_what_is_no_renaming_is_refused",
    ),
    edit(
        _KERAS_1,
        "            if ... not in _GONE[key] and value not in _GONE[key]:",
        "            if False:",
        "keras/saving/test_keras1.py::test_what_is_no_renaming_is_refused",
    ),
    edit(
        _KERAS_1,
        "    if name in _OTHER_WEIGHTS:",
        "    if False:",
        "keras/saving/test_keras1.py::test_what_is_no_renaming_is_refused",
    ),
    edit(
        _RAW,
        "    if node.op not in _OTHERS:\n",
        "    if False:\n",
        f"{_RAW_OPS}::test_what_is_not_known_is_named",
    ),
    edit(
        _RAW,
        "        if not 0 <= place <= len(args):",
        "        if False:",
        f"{_RAW_OPS}::test_what_is_not_known_is_named",
    ),
    edit(
        _RAW,
        '    raise _Unknown("has a constant that is no number")',
        "    return value",
        f"{_RAW_OPS}::test_what_is_not_known_is_named",
    ),
    edit(
        _CALLS,
        " and find_custom(raw_ops.CLASS) is None",
        "",
        f"{_RAW_OPS}::test_a_class_of_the_user_for_such_layers",
    ),
    edit(
        "keras/models/operations.py",
        "    if _names(fn.name) is None:\n        return as",
        "    if False:\n        return as",
        "keras/models/test_functional.py::test_ops_that_keras_does_not_have_come_back_from_a_configuration",
    ),
    edit(
        _CUDNN,
        '    return kernel.T.reshape(kernel.shape, order="F")',
        "    return kernel",
        f"{_H5}::test_models_of_keras_2",
    ),
    edit(
        _CUDNN,
        "pair.sum(0) if is_lstm else pair",
        "pair[0] if is_lstm else pair",
        f"{_H5}::test_models_of_keras_2",
    ),
    edit(
        _LAYERS,
        '    if name == "GRU":  # the argument',
        '    if name == "":  # the argument',
        f"{_CONFIGS}::test_arguments_that_changed",
    ),
    edit(
        _LAYERS,
        '    if own_class("keras.layers", _RENAMED.get(name, name)) is',
        '    if own_class("keras.layers", name) is',
        f"{_H5}::test_models_of_keras_2",
    ),
    edit(
        _OPTIMIZER,
        '        yield "average", optimizer._averages\n',
        "        pass\n",
        f"{_OPTIMIZERS}::test_training_goes_on",
    ),
    edit(
        _OPTIMIZER,
        "    if isinstance(inner, Nadam):\n",
        "    if False:\n",
        f"{_OPTIMIZERS}::test_training_goes_on",
    ),
    edit(
        _OPTIMIZER,
        "        product = alone.get(_PRODUCT) or _product(",
        "        product = _product(",
        f"{_OPTIMIZERS}::test_the_momentum_of_nadam_that_rose_slowly",
    ),
    edit(
        _OPTIMIZER,
        '        made.problems.append("the file does not have the number of steps")',
        "        pass",
        f"{_OPTIMIZERS}::test_state_that_does_not_fit_is_told",
    ),
    edit(
        _OPTIMIZER,
        'in the file" for each in slots]',
        'in the file" for each in ()]',
        f"{_OPTIMIZERS}::test_state_that_does_not_fit_is_told",
    ),
    edit(
        _FOLDER,
        '            alone += self._named(self._nodes[scale], ("current_loss_scale", "good_steps"))',
        "            pass",
        f"{_OPTIMIZERS}::test_the_factor_of_the_loss_is_in_the_folder_alone",
    ),
    edit(
        _COMPILING,
        "    if found and found[0] != 1.0:",
        "    if False:",
        f"{_OPTIMIZERS}::test_the_momentum_of_nadam_that_rose_slowly",
    ),
    edit(
        _OLD,
        "        check_known(config, name)\n",
        "",
        f"{_H5}::test_everything_unknown_is_in_one_error",
    ),
    edit(
        _FOLDER,
        "        slots = sorted(node.slots, key=lambda slot: order.get(slot[0], len(order)))",
        "        slots = node.slots[::-1]",
        f"{_FOLDERS}::test_the_same_as_the_h5_file",
    ),
    edit(
        _NAMES,
        "        elif obsolete[key] is not ... and value != obsolete[key]:",
        "        elif False:",
        f"{_CONFIGS}::test_an_argument_that_is_gone_and_mattered",
    ),
    edit(
        _LAYERS,
        '    return {"class_name": "__lambda__", "config": {"code": ""}}',
        '    return "linear"',
        f"{_CONFIGS}::test_code_is_never_decoded",
    ),
    edit(
        _CALLS,
        "            if tree[0] == _CONSTANT:",
        "            if False:",
        f"{_CONFIGS}::test_calls_with_several_tensors_and_constants",
    ),
    edit(
        _COMPILING,
        '    elif decay := inner.pop("decay", 0.0):',
        '    elif decay := inner.pop("decay", 0.0) * 0:',
        f"{_CONFIGS}::test_the_arguments_of_compile",
    ),
    edit(
        _FUNCTIONS,
        '            node.operation.name = f"{self.name}.{number}" if number else self.name',
        "            node.operation.name = node.operation.name if number else self.name",
        f"{_CONFIGS}::test_intermediate_ops_take_no_name_of_a_layer",
    ),
    edit(
        "keras/saving/keras2_archive.py",
        "        if found or found.problem is not None:",
        "        if True:",
        "keras/saving/test_keras2_archive.py::test_models[words]",
    ),
    edit(
        "keras/saving/keras2_archive.py",
        "        *legacy_optimizer.needs_alone(optimizer, inner, steps, {}),\n",
        "",
        "keras/saving/test_keras2_archive.py::test_the_state_of_every_optimizer[nadam]",
    ),
    edit(
        "keras/saving/keras2_archive.py",
        "        if self._is_of_2_12:",
        "        if False:",
        "keras/saving/test_keras2_archive.py::test_training_goes_on[tensorflow_2_12]",
    ),
    edit(
        "keras/saving/keras2_archive.py",
        "    if len(slots) != len(stored):",
        "    if False:",
        "keras/saving/test_keras2_archive.py::test_the_state_of_another_optimizer",
    ),
    edit(
        "keras/saving/archive.py",
        '    if str(read_metadata(container).get("keras_version")).startswith("2."):',
        "    if False:",
        "keras/saving/test_keras2_archive.py::test_training_goes_on[functions]",
    ),
]
