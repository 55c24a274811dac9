"""Symbolic tensors: the ends of a functional graph before any number has flowed through it."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import jax

from hornbeam.core.deferred import only_shapes
from hornbeam.core.dtypes import DType, as_dtype, canonical
from hornbeam.core.jax_typed import eval_shape
from hornbeam.core.names import auto_name
from hornbeam.core.operators import Operators
from hornbeam.core.ordered import sealed, sealed_call, tree_map
from hornbeam.core.probes import hide_probe, probes_apart_from, probing
from hornbeam.core.shapes import TensorShape, standardize_shape
from hornbeam.core.tensor import Tensor

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from hornbeam.core.op import Op
    from hornbeam.core.typing import DTypeLike, Shape


class KerasTensor(Operators):
    """A placeholder with a shape and a type, made by `keras.Input` and by calling layers and ops on placeholders.

    >>> from hornbeam import keras
    >>> x = keras.Input((28, 28, 1))
    >>> x[:, ::2].shape
    TensorShape([None, 14, 28, 1])
    """

    def __init__(
        self,
        shape: Shape | int,
        dtype: DTypeLike = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: object,
    ) -> None:
        """`shape` includes the batch axis; None stands for an unknown dimension."""
        if sparse or ragged:
            raise NotImplementedError(
                "Sparse and ragged symbolic tensors are not supported; use a dense one."
            )
        if kwargs:
            raise TypeError(f"KerasTensor received unknown arguments: {', '.join(kwargs)}.")
        self.shape = TensorShape(standardize_shape(shape))
        self.dtype: DType = as_dtype(dtype)
        self.name = name or auto_name("keras_tensor")
        self.node: Node | None = None
        self.output_index = 0
        self._keras_mask: Any = None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    sparse = False
    ragged = False

    def get_shape(self) -> TensorShape:
        """The shape."""
        return self.shape

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"The length of a symbolic tensor of shape {self.shape} is not known.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError(
            "A symbolic tensor has no value, so it can't decide an `if` or `while`. Use keras.ops.where or "
            "keras.ops.cond, or move the code into the `call` of a layer."
        )

    def _no_value(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError(
            f"A symbolic tensor has no value (name={self.name!r}, shape={self.shape}): NumPy, JAX and float() can't "
            "use it. Use keras.ops, or wrap the code in a layer or keras.layers.Lambda."
        )

    __array__ = __float__ = __int__ = numpy = _no_value

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype.name}, name={self.name}>"


class Node:
    """One call of an operation on symbolic tensors."""

    def __init__(
        self,
        operation: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: object,
    ) -> None:
        """Makes itself the producer of every symbolic tensor in `outputs`."""
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        for index, tensor in enumerate(symbolic_leaves(outputs)):
            tensor.node, tensor.output_index = self, index

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        return symbolic_leaves((self.args, self.kwargs))


class FunctionCall:
    """An op in a functional graph: it stands where a layer would stand."""

    def __init__(self, fn: Op[..., Any], name: str | None = None) -> None:
        """`fn` is a function that `@op` made."""
        self.fn = fn
        self.name = name or auto_name(fn.name.rpartition(".")[2])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)


def is_symbolic(value: object) -> TypeIs[KerasTensor]:
    """Return whether `value` is a symbolic tensor."""
    return isinstance(value, KerasTensor)


def symbolic_leaves(tree: object) -> list[KerasTensor]:
    """Return the symbolic tensors in a structure, in order."""
    return [x for x in jax.tree.leaves(tree, is_leaf=is_symbolic) if isinstance(x, KerasTensor)]


def record(fn: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Add a call of the op `fn` to the graph and return its symbolic outputs."""
    call = FunctionCall(fn)
    outputs = infer(fn, *args, **kwargs)
    Node(call, args, kwargs, outputs)
    return outputs


def infer(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the symbolic outputs of `fn` on symbolic inputs: `fn` is traced on tensors, nothing is computed."""
    leaves, tree = jax.tree.flatten(sealed_call(args, kwargs), is_leaf=is_symbolic)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    symbols: list[KerasTensor] = [leaves[i] for i in places]

    def run(*values: jax.Array) -> Any:
        filled = list(leaves)
        for place, value in zip(places, values, strict=True):
            filled[place] = Tensor(value)
        inner_args, inner_kwargs = jax.tree.unflatten(tree, filled)
        return sealed(fn(*inner_args, **inner_kwargs))

    def trace(size: int | None) -> Any:
        specs = [
            jax.ShapeDtypeStruct([size if d is None else d for d in s.shape], canonical(s.dtype))
            for s in symbols
        ]
        with only_shapes():
            return _without_tensors(eval_shape(run, *specs))

    if not any(None in s.shape for s in symbols):
        first = second = trace(None)
    else:
        first, second = _trace_twice(trace, _sizes(leaves))

    def merge(a: jax.ShapeDtypeStruct, b: jax.ShapeDtypeStruct) -> KerasTensor:
        shape = [x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)]
        return KerasTensor(shape, a.dtype)

    return tree_map(merge, first, second)


def _sizes(leaves: list[Any]) -> set[int]:
    """Return the known sizes of a call: those of its arguments, and numbers among them."""
    shapes = {d for leaf in leaves for d in getattr(leaf, "shape", ()) if d is not None}
    return shapes | {leaf for leaf in leaves if isinstance(leaf, int)}


# Of a function that was traced once: it fails for another reason than a size then.
_MOST_FAILURES = 3


def _trace_twice(trace: Callable[[int], Any], known: set[int]) -> tuple[Any, Any]:
    """Return the results for two probe sizes.

    If a trace fails with one probe only, the function uses that size itself: two other probes are then taken.
    """

    def attempt(size: int) -> Any:
        with probing(size):
            return trace(size)

    sizes = probes_apart_from(known)
    results: list[Any] = []
    failures = 0
    for size in sizes:
        try:
            results.append(attempt(size))
        except Exception as error:
            other = next(sizes)
            hide_probe(error, size, lambda other=other: results.append(attempt(other)))
            failures += 1
            if not results or failures == _MOST_FAILURES:
                raise
        if len(results) >= 2:
            break
    return results[0], results[1]


def _without_tensors(tree: object) -> Any:
    def is_tensor(leaf: object) -> bool:
        return isinstance(leaf, Tensor)

    def raw(leaf: object) -> Any:
        return leaf._value if isinstance(leaf, Tensor) else leaf

    return tree_map(raw, tree, is_leaf=is_tensor)
