"""Edits of what users see of tensors and around them: printing, names, types, specifications, modules, accumulators."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_PRINTING, _TENSOR, _SHAPES = "control/printing.py", "core/tensor.py", "core/shapes.py"
_MODULE, _SPECS, _ARRAY = "control/module.py", "control/specs.py", "control/tensor_array.py"
_FORWARD, _VARIABLE = "tensors/forward_accumulator.py", "tensors/variable.py"
_CREATION, _SLICES = "tensors/creation.py", "tensors/indexed_slices.py"
_TEXTS = "control/test_printing.py::test_texts"
_TENSORS = "core/test_tensor.py"
_ARRAYS = "control/test_tensor_array.py"
_MODULES = "control/test_module.py"
_KINDS = "control/test_specs.py"
_FORWARDS = "tensors/test_custom_gradients.py"
_CHECKPOINT = "train/test_checkpoint.py::test_modules"
_LOSES = "tensors/test_variables.py::test_a_variable_takes_no_tensor_of_a_kind_that_it_can_not_hold"
_REFUSED = "tensors/test_argument_checks.py::test_what_is_refused_says_what_came"

EDITS: list[Edit] = [
    # Printing
    edit(
        _PRINTING,
        "ends = array.size if summarize < 0 else min(summarize, array.size)",
        "ends = min(summarize, array.size)",
        _TEXTS,
    ),
    edit(
        _PRINTING,
        "if count > 2 * ends:",
        "if count >= 2 * ends:",
        "control/test_printing.py::test_elements_left_out",
    ),
    edit(
        _PRINTING,
        'parts[ends:ends] = ["..."] if ends else ["", "..."]',
        'parts[ends:ends] = ["..."]',
        "control/test_printing.py::test_no_elements_are_asked_for",
    ),
    edit(_PRINTING, "        return str(int(value))", "        return str(value)", _TEXTS),
    edit(_PRINTING, 'return text if is_exact else f"{value:.{long}g}"', "return text", _TEXTS),
    edit(_PRINTING, "short, long = (15, 17) if dtype", "short, long = (6, 9) if dtype", _TEXTS),
    edit(
        _PRINTING,
        "return list(value) if isinstance(value, range) else value",
        "return value",
        _TEXTS,
    ),
    edit(
        _PRINTING,
        "if any(map(is_traced, arrays)) or scope.is_tracing():",
        "if any(map(is_traced, arrays)):",
        "control/test_printing.py::test_a_program_prints_at_every_call_in_order",
    ),
    edit(
        _PRINTING,
        'text.rstrip("\\n"))',
        "text)",
        "control/test_printing.py::test_streams",
    ),
    # Tensors
    edit(
        _TENSOR,
        'return np.array(_taken(self, "`.numpy()`"))[()]',
        'return np.asarray(_taken(self, "`.numpy()`"))[()]',
        f"{_TENSORS}::test_numpy_gives_a_copy_that_can_be_written",
    ),
    edit(
        _TENSOR,
        "raise UnknownValueError(_unknown(tensor, what))",
        "raise RuntimeError(_unknown(tensor, what))",
        f"{_TENSORS}::test_values_are_not_known_while_compiling",
    ),
    edit(
        _TENSOR,
        'raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")',
        "return id(self)",
        f"{_TENSORS}::test_tensors_are_no_keys_but_their_references_are",
    ),
    edit(
        _TENSOR,
        "isinstance(other, Reference) and other._target is self._target",
        "isinstance(other, Reference)",
        f"{_TENSORS}::test_tensors_are_no_keys_but_their_references_are",
    ),
    edit(
        _TENSOR,
        "        return self  # values can't change, so sharing them is a copy",
        "        return convert_to_tensor(self.numpy() + 0)",
        f"{_TENSORS}::test_copies_and_pickles",
    ),
    # Shapes
    edit(
        _SHAPES,
        "if None not in (self.rank, other.rank) and self.rank != other.rank:",
        "if self.rank != other.rank:",
        f"{_TENSORS}::test_shape_is_a_tuple_and_answers_as_tensorflow",
    ),
    edit(
        _SHAPES,
        "a is None or b is None or a == b",
        "b is None or a == b",
        f"{_TENSORS}::test_shape_is_a_tuple_and_answers_as_tensorflow",
    ),
    edit(
        _SHAPES,
        "return math.prod(self) if self.is_fully_defined() else None",
        "return math.prod(each or 1 for each in self)",
        f"{_TENSORS}::test_shape_is_a_tuple_and_answers_as_tensorflow",
    ),
    # Variables
    edit(_CREATION, "(given.is_complex and not dtype.is_complex)", "False", _LOSES),
    edit(_CREATION, "(given.is_floating and (dtype.is_integer or dtype.is_bool))", "False", _LOSES),
    edit(
        _CREATION,
        "(given.is_integer and dtype.is_bool)\n    ):\n        raise V",
        "False\n    ):\n        raise V",
        _LOSES,
    ),
    edit(
        _VARIABLE,
        "refuse_other_kind(value, self.stored_dtype)\n        return self._assigned(value, read_value)",
        "return self._assigned(value, read_value)",
        _LOSES,
    ),
    edit(
        _VARIABLE,
        "refuse_other_kind(value, self.stored_dtype)\n        value = strings(value)",
        "value = strings(value)",
        _LOSES,
    ),
    edit(
        _SLICES,
        'check_indices(self.indices, next(iter(shape)), "ResourceScatterAdd")',
        "",
        "tensors/test_indexed_slices.py::test_an_index_beyond_the_tensor_is_told",
    ),
    edit(
        "ops/special.py",
        "jnp.where(jnp.isfinite(size), scale, jnp.nan)",
        "scale",
        "tensors/test_faces.py",
    ),
    edit(
        "keras/optimizers/gradients.py",
        "norm = jnp.where(jnp.isfinite(norm), norm, jnp.nan)",
        "pass",
        "keras/optimizers/test_gradients.py::test_the_global_norm_is_that_of_all_elements",
    ),
    edit(
        "keras/optimizers/optimizer.py",
        "                check_variable(variable)\n            self.build(targets)",
        "                pass\n            self.build(targets)",
        "keras/optimizers/test_optimizer.py::test_a_tensor_in_the_place_of_a_variable_is_told",
    ),
    edit(
        "keras/engine/building.py",
        "if was_built and len(self._variables) > len(variables):",
        "if False:",
        "keras/engine/test_layer.py::test_building_twice_makes_no_second_weights",
    ),
    edit(
        "keras/engine/building.py",
        "was_built = self.built and not inside_another",
        "was_built = self.built",
        "keras/engine/test_layer.py::test_a_build_may_call_that_of_its_class_late",
    ),
    edit(
        "keras/models/sequential.py",
        "_takes_other_sizes = True",
        "_takes_other_sizes = False",
        "keras/models/test_sequential.py::test_sizes_are_those_that_the_layers_take",
    ),
    edit(
        "core/block.py",
        'if "JAX has removed" not in each]',
        "]",
        "core/test_block.py::test_an_error_leaves_no_variable_changed",
    ),
    edit(
        "tensors/shaping.py",
        '        if each < 0:\n            raise invalid(f"Expected multiples',
        '        if False:\n            raise invalid(f"Expected multiples',
        _REFUSED,
    ),
    edit("tensors/segments.py", "if np.min(values, initial=0) < 0:", "if False:", _REFUSED),
    edit(
        "tensors/segments.py",
        'check_indices(predictions, num_classes, "ConfusionMatrix: predictions")',
        "",
        _REFUSED,
    ),
    edit("random/draws.py", "and minval >= maxval\n", "and minval > maxval\n", _REFUSED),
    # Functions
    edit(
        "control/input_signature.py",
        'parameters[0].name == "self"',
        "False",
        "control/test_function.py::test_an_input_signature_of_a_method_leaves_out_self",
    ),
    # Modules
    edit(_MODULE, "        note_contents(self)\n", "        pass\n", _CHECKPOINT),
    edit(
        _MODULE,
        "if not name.isidentifier():",
        "if False:",
        f"{_MODULES}::test_names",
    ),
    # Specifications
    edit(
        _SPECS,
        "type(other) is type(self) and self._parts() == other._parts()",
        "type(other) is type(self)",
        _KINDS,
    ),
    edit(
        _SPECS,
        "return one.is_subtype_of(other) if isinstance(one, TensorShape) else one == other",
        "return one.is_compatible_with(other) if isinstance(one, TensorShape) else one == other",
        _KINDS,
    ),
    # Arrays of tensors
    edit(
        _ARRAY,
        "        if as_dtype(tensor.dtype) != self._dtype:\n            raise invalid(",
        "        if False:\n            raise invalid(",
        f"{_ARRAYS}::test_wrong_use",
    ),
    edit(
        _ARRAY,
        "if not 0 <= place < self._count():",
        "if not place < self._count():",
        f"{_ARRAYS}::test_wrong_use",
    ),
    edit(
        _ARRAY,
        "return _copy(self) if scope.is_open() else self",
        "return self",
        _ARRAYS,
    ),
    edit(
        _ARRAY,
        "    made._items = list(array._items)\n    return made",
        "    return made",
        _ARRAYS,
    ),
    # Forward accumulators
    edit(
        _FORWARD,
        "if tangent.shape != primal.shape:",
        "if False:",
        f"{_FORWARDS}::test_wrong_tangents",
    ),
    edit(
        _FORWARD,
        "if not isinstance(primal, (Tensor, Variable)):",
        "if False:",
        f"{_FORWARDS}::test_wrong_tangents",
    ),
    edit(
        _FORWARD,
        "    recording.note(recording.Call(_Push(program), form, boxes, leaves), result)\n",
        "",
        f"{_FORWARDS}::test_products_of_hessians_and_vectors",
    ),
    edit(
        _FORWARD,
        "        self._kernels.close()\n",
        "        pass\n",
        f"{_FORWARDS}::test_forward_accumulators",
    ),
]
