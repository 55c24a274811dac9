"""What `minimize` does before an update: the loss, and its gradients by a tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.typing import Structure, TensorLike
from hornbeam.core.variable import Variable
from hornbeam.tensors.gradient_tape import GradientTape


def gradients_of(
    loss: TensorLike | Callable[[], Any],
    var_list: Structure[Variable] | Callable[[], Structure[Variable]],
    tape: GradientTape | None,
    scale_loss: Callable[[Any], Any],
) -> list[tuple[Any, Variable]]:
    """Return pairs of gradient and variable, as `Optimizer.apply_gradients` takes them.

    `scale_loss` multiplies a loss by a factor, and so the gradients. Raises ValueError for a tensor without its tape.
    """
    if not callable(loss) and tape is None:
        raise ValueError(
            f"`tape` is required when a `Tensor` loss is passed. Received: loss={loss}, tape={tape}. Pass the GradientTape "
            "that recorded the loss, or a function without arguments that computes it."
        )
    tape = tape or GradientTape()
    if callable(loss):
        with tape:
            if not callable(var_list):
                tape.watch(var_list)
            value = convert_to_tensor(loss())
    else:
        value = convert_to_tensor(loss)
    variables = tree.flatten(var_list() if callable(var_list) else var_list)
    weight = scale_loss(ops.ones_like(value))
    gradients = tape.gradient(value, variables, output_gradients=weight)
    return list(zip(gradients, variables, strict=True))
