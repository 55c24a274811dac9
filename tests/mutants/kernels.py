"""Edits of `kernels`: the choice between native and reference, by types, sizes, options and what pays."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

EDITS: list[Edit] = [
    # Fusion: what is offered beside a value, and what it was made of
    edit(
        "core/attached.py",
        "isinstance(value, Tracer) and isinstance(lax.full((), 0.0), Tracer)",
        "True",
        "core/test_fusion.py::test_no_offers_outside_of_programs",
    ),
    edit(
        "core/attached.py",
        " and isinstance(lax.full((), 0.0), Tracer)",
        "",
        "core/test_fusion.py::test_no_offers_outside_of_programs",
    ),
    edit(
        "core/attached.py",
        "weakref.ref(value, lambda _: self._entries.pop(key, None))",
        "weakref.ref(value)",
        "core/test_fusion.py::test_offers_end_with_their_value",
    ),
    edit(
        "core/origins.py",
        "if origin is not None and (origin.everywhere or is_compiling(value)):",
        "if origin is not None and is_compiling(value):",
        "keras/losses/test_logits.py::test_value_and_gradient_are_those_of_the_logits",
    ),
    edit(
        "core/origins.py",
        " and math.prod(shape[:axis]) == before:",
        ":",
        "keras/losses/test_logits.py::test_the_axis_of_classes_moves_with_the_shape",
    ),
    edit(
        "kernels/conv/__init__.py",
        "tuple(steps) != (2, 2) or",
        "",
        "core/test_fusion.py::test_other_poolings_are_not_fused",
    ),
    edit(
        "kernels/conv/__init__.py",
        'pad != "valid" or tuple(window)',
        "tuple(window)",
        "core/test_fusion.py::test_other_poolings_are_not_fused",
    ),
    edit(
        "kernels/normalization/__init__.py",
        "if other.shape != x.shape or other.dtype != x.dtype:",
        "if other.shape != x.shape:",
        "kernels/test_normalization_native.py::test_a_sum_of_other_shapes_is_not_fused",
    ),
    edit(
        "kernels/normalization/__init__.py",
        "if other.shape != x.shape or other.dtype != x.dtype:",
        "if other.dtype != x.dtype:",
        "kernels/test_normalization_native.py::test_a_sum_of_other_shapes_is_not_fused",
    ),
    # Types, sizes and places that no native kernel knows
    edit(
        "kernels/native.py",
        'if names not in ({"float32"}, {"bfloat16"}) or',
        'if not names <= {"float32", "bfloat16"} or',
        "kernels/test_kernel_choice.py::test_reference[dense: two types]",
    ),
    edit(
        "kernels/native.py",
        'if names not in ({"float32"}, {"bfloat16"}) or',
        "if len(names) != 1 or",
        "kernels/test_kernel_choice.py::test_reference[dense: float16]",
    ),
    edit(
        "kernels/native.py",
        " and not _varies(a) for",
        " for",
        "kernels/test_dense_native.py::test_inside_shard_map",
    ),
    edit(
        "kernels/native.py",
        "_has_sizes(a) and ",
        "",
        "kernels/test_kernel_choice.py::test_sizes_that_are_symbols_take_the_reference",
    ),
    edit(
        "kernels/native.py",
        "return not native_off.get() and available()",
        "return available()",
        "kernels/test_dense_native.py::test_forward_mode_where_native_kernels_are_switched_off",
    ),
    edit(
        "kernels/native.py",
        "    try:\n        yield\n    finally:\n        native_off.reset(token)",
        "    yield\n    native_off.reset(token)",
        "kernels/test_kernel_choice.py::test_an_error_while_they_are_switched_off_switches_them_on_again",
    ),
    edit(
        "kernels/kernel.py",
        " and self.pays(*args, **kwargs)",
        "",
        "kernels/test_kernel_choice.py::test_reference[dense: few multiplications]",
    ),
    edit(
        "kernels/kernel.py",
        " and self.suits(*args, **kwargs)",
        "",
        "kernels/test_kernel_choice.py::test_reference[conv: volumes]",
    ),
    # Products
    edit(
        "kernels/dense/__init__.py",
        "        and x.shape[-1] == kernel.shape[0]\n",
        "",
        "kernels/test_dense_native.py::test_wrong_shapes",
    ),
    edit(
        "kernels/dense/__init__.py",
        "        and (bias is None or bias.shape == kernel.shape[1:])\n",
        "",
        "kernels/test_kernel_choice.py::test_reference[dense: a bias that broadcasts]",
    ),
    edit(
        "kernels/dense/__init__.py",
        "return min(rows, d, units) >= MIN_SIZE and rows",
        "return rows",
        "kernels/test_kernel_choice.py::test_reference[dense: one row]",
    ),
    edit(
        "kernels/matmul/__init__.py",
        " and a.shape[:-2] == b.shape[:-2]",
        "",
        "kernels/test_kernel_choice.py::test_reference[matmul: one matrix for all]",
    ),
    edit(
        "kernels/matmul/plan.py",
        "return dict(pairs) if len(pairs) == len({*plan.a, *plan.b}) else None",
        "return dict(pairs)",
        "kernels/test_kernel_choice.py::test_reference[einsum: a size that broadcasts]",
    ),
    edit(
        "kernels/matmul/stacks.py",
        "(dtype is None or jnp.dtype(dtype) in (a.dtype, jnp.float32))",
        "True",
        "kernels/test_kernel_choice.py::test_reference[einsum: a narrower result]",
    ),
    edit(
        "kernels/attention/__init__.py",
        "mask.ndim <= 4 and mask.dtype == bool",
        "mask.ndim <= 4",
        "kernels/test_kernel_choice.py::test_reference[attention: a mask of numbers]",
    ),
    edit(
        "kernels/attention/__init__.py",
        " or b * t * n * d * s * e == 0",
        "",
        "kernels/test_attention_native.py::test_sizes_of_zero",
    ),
    # Images
    edit(
        "kernels/conv/slide.py",
        "if channels % inputs or filters % (channels // inputs):",
        "if False:",
        "kernels/test_conv_native.py::test_wrong_shapes",
    ),
    edit(
        "kernels/conv/slide.py",
        "if any(not 0 <= pad < k for pair",
        "if any(not 0 <= pad for pair",
        "kernels/test_kernel_choice.py::test_reference[conv: windows in the padding alone]",
    ),
    edit(
        "kernels/conv/slide.py",
        "if any(not 0 <= pad < k for pair",
        "if any(not pad < k for pair",
        "kernels/test_kernel_choice.py::test_reference[conv: a crop]",
    ),
    edit(
        "kernels/conv/slide.py",
        "    if any(n + sum(pair) < k for",
        "    if False and any(n + sum(pair) < k for",
        "kernels/test_kernel_choice.py::test_reference[conv: an image smaller than the window]",
    ),
    edit(
        "kernels/conv/slide.py",
        "if bias is not None and bias.shape != (filters,):",
        "if False:",
        "kernels/test_conv_native.py::test_wrong_shapes",
    ),
    edit(
        "kernels/conv/__init__.py",
        "return multiplications >= MIN_MULTIPLICATIONS",
        "return True",
        "kernels/test_kernel_choice.py::test_reference[conv: few multiplications]",
    ),
    edit(
        "kernels/pool/__init__.py",
        " or math.prod(window) > reference.MAX_TAPS",
        "",
        "kernels/test_kernel_choice.py::test_reference[pool: a very large window]",
    ),
    # Normalisation, recurrent layers, draws, updates
    edit(
        "kernels/normalization/__init__.py",
        "a.dtype == jnp.float32 and a.shape",
        "a.shape",
        "kernels/test_kernel_choice.py::test_reference[layer norm: vectors in bfloat16]",
    ),
    edit(
        "kernels/normalization/__init__.py",
        " and axes == set(range(x.ndim - 1))",
        "",
        "kernels/test_kernel_choice.py::test_reference[moments: of rows]",
    ),
    edit(
        "kernels/normalization/__init__.py",
        " or x.shape[-1] < MIN_CHANNELS",
        "",
        "kernels/test_kernel_choice.py::test_reference[moments: few channels]",
    ),
    edit(
        "kernels/recurrent/__init__.py",
        "        call.activation is jnp.tanh\n        and call",
        "        call",
        "kernels/test_kernel_choice.py::test_reference[lstm: another activation]",
    ),
    edit(
        "kernels/recurrent/__init__.py",
        "        and call.recurrent_activation is jax.nn.sigmoid\n",
        "",
        "kernels/test_kernel_choice.py::test_reference[lstm: another activation of gates]",
    ),
    edit(
        "kernels/recurrent/__init__.py",
        '        and call.loop.get("recurrent_dropout") is None\n',
        "",
        "kernels/test_recurrent_native.py::test_other_activations_and_dropout_are_the_references",
    ),
    edit(
        "kernels/updates/__init__.py",
        "rule.slots in SLOTS.get(rule.name, ())",
        "rule.name in SLOTS",
        "kernels/test_kernel_choice.py::test_updates",
    ),
    edit(
        "kernels/updates/__init__.py",
        "are_numbers(*(constant for _, constant in rule.constants))",
        "True",
        "kernels/test_kernel_choice.py::test_updates",
    ),
    edit(
        "kernels/updates/__init__.py",
        "a.dtype == jnp.float32 and a.shape == arrays[0].shape",
        "a.dtype == jnp.float32",
        "kernels/test_kernel_choice.py::test_updates",
    ),
    edit(
        "kernels/updates/__init__.py",
        "a.dtype == jnp.float32 and a.shape",
        "a.shape",
        "kernels/test_kernel_choice.py::test_updates",
    ),
    edit(
        "kernels/bernoulli/__init__.py",
        '        and str(jax.random.key_impl(key)) == "threefry2x32"\n',
        "",
        "kernels/test_kernel_choice.py::test_reference[bernoulli: another generator]",
    ),
]
