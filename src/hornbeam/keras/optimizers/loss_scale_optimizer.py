"""Loss scaling, which keeps small gradients from vanishing in float16."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable
from hornbeam.keras.initializers import Constant
from hornbeam.keras.optimizers.branches import choose
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.registry import deserialize_keras_object, serialize_keras_object

# Arguments of `Optimizer` that configurations of earlier versions of Keras list, with the only value allowed.
_INNER_ARGUMENTS = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Optimizer):
    """An optimizer that multiplies the loss, and divides the gradients, by a factor that it adapts.

    Gradients below 6e-8 are 0 in float16; computed from a loss that was multiplied by a large number they are not. A step
    with a gradient that is not finite changes nothing but the factor, which is halved. After `dynamic_growth_steps` steps
    in a row with finite gradients the factor is doubled.

    - `inner_optimizer`: the optimizer that updates the variables. It has the learning rate and all other options.
    - `initial_scale`: the first factor. Too large is better than too small: halving takes one step.

    `compile` wraps the optimizer of a `mixed_float16` model in this class unless `auto_scale_loss=False`. Source:
    Micikevicius et al., 2017, arXiv:1710.03740.

    >>> from hornbeam import keras
    >>> optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=4.0)
    >>> weight = keras.Variable([1.0])
    >>> optimizer.build([weight])
    >>> print(float(optimizer.scale_loss(2.0)))
    8.0
    >>> optimizer.apply([keras.ops.array([4.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for options that belong to the inner optimizer, and for `dynamic=False`."""
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer does not support `dynamic=False`. For a constant factor, set "
                "`loss_scale_factor` of the optimizer itself."
            )
        for argument, default in _INNER_ARGUMENTS.items():
            if (given := kwargs.pop(argument, default)) != default:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`; received {given!r}. Set it on "
                    "the `inner_optimizer`."
                )
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # gradients are not to be divided twice

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        variables = list(variables)
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), Constant(self.initial_scale), dtype="float32", name="dynamic_scale"
        )
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Return the own variables, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    def settings(self) -> list[Any]:
        """Return what a compiled step holds as constants, the inner optimizer's too."""
        return [*super().settings(), *self.inner_optimizer.settings()]

    @property
    def learning_rate(self) -> Any:
        """Return the learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """Return the number of updates of the inner optimizer; steps that were skipped don't count."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times the present factor."""
        return loss * (self.dynamic_scale.value if self.built else self.initial_scale)

    def apply(
        self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Update variables by the gradients of a scaled loss; skip the step if one is not finite."""
        grads = list(grads)
        if not grads:
            return
        targets = self._targets(grads, trainable_variables)

        def update() -> None:
            scale = scope.read(self.dynamic_scale)
            plain = [
                gradient
                if gradient is None or variable.overwrite_with_gradient
                else Tensor(unwrap(gradient) / scale)
                for gradient, variable in zip(grads, targets, strict=True)
            ]
            self.inner_optimizer.apply(plain, targets)
            self._count_finite_step()

        choose(self.check_finite(grads), update, self._shrink_scale, [*targets, *self.variables])

    def check_finite(self, grads: Iterable[Any]) -> Any:
        """Return whether all elements of all gradients are finite; a gradient may be None."""
        finite = [jnp.all(jnp.isfinite(unwrap(each))) for each in grads if each is not None]
        return jnp.all(jnp.stack(finite)) if finite else jnp.asarray(True)

    def _count_finite_step(self) -> None:
        count, scale = scope.read(self.step_counter), scope.read(self.dynamic_scale)
        grows = count == self.dynamic_growth_steps - 1
        self.step_counter.assign(Tensor(jnp.where(grows, 0, count + 1)))
        self.dynamic_scale.assign(Tensor(jnp.where(grows, scale * 2, scale)))

    def _shrink_scale(self) -> None:
        self.step_counter.assign(0)
        self.dynamic_scale.assign(Tensor(scope.read(self.dynamic_scale) * 0.5))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Let the inner optimizer replace the variables by their averages, where it keeps these."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, the inner optimizer as a configuration."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Make an optimizer from what `get_config` returned."""
        arguments = dict(config)
        inner = deserialize_keras_object(arguments.pop("inner_optimizer"), custom_objects)
        return cls(inner, **arguments)


del LossScaleOptimizer.__signature__  # its own arguments are all it takes
registry.add(LossScaleOptimizer)
