"""The base of all optimizers: what happens between gradients and updated variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from hornbeam.core import leaks, scope
from hornbeam.core.tensor import Tensor, is_traced, unwrap
from hornbeam.core.typing import Structure, TensorLike
from hornbeam.core.variable import Variable
from hornbeam.keras.initializers import Constant
from hornbeam.keras.optimizers import compiled, rule_steps
from hornbeam.keras.optimizers.accumulation import accumulate
from hornbeam.keras.optimizers.arguments import (
    check_arguments,
    refuse_unknown,
    signature_with_base,
)
from hornbeam.keras.optimizers.averages import update_averages
from hornbeam.keras.optimizers.gradients import check_variable, clip, usable_gradients
from hornbeam.keras.optimizers.minimizing import gradients_of
from hornbeam.keras.optimizers.own_steps import missing_step, overrides_update_step, own_step
from hornbeam.keras.optimizers.rule import Part, Rule
from hornbeam.keras.optimizers.slots import add_slots, slots_of
from hornbeam.keras.optimizers.state import OptimizerState
from hornbeam.keras.registry import (
    Registry,
    constructor_arguments,
    deserialize_keras_object,
    serialize_keras_object,
)
from hornbeam.tensors.gradient_tape import GradientTape

registry = Registry("optimizer", "keras.optimizers")


class Optimizer(OptimizerState):
    """A rule that changes variables along their gradients, with the state it needs.

    - `learning_rate`: a number, a `LearningRateSchedule`, or a function without arguments. A number
      becomes a variable, which can be set while training: `optimizer.learning_rate = 0.01`.
    - `weight_decay`: before each update, a weight loses learning_rate * weight_decay of itself.
    - `clipnorm`, `global_clipnorm`, `clipvalue`: the largest norm of each gradient, of all gradients
      together, or the largest size of each element; at most one of the three.
    - `use_ema`: keep averages, ema_momentum * average + (1 - ema_momentum) * weight. They replace the
      weights every `ema_overwrite_frequency` updates (None: never) and at the end of `fit`.
    - `loss_scale_factor`: `scale_loss` multiplies the loss by it, `apply` divides the gradients.
    - `gradient_accumulation_steps`: update with the mean gradient of so many calls of `apply`.

    Own optimizers override `build`, to add their variables, and `update_step`.

    The optimizers of this package override `rule`, from which follow their slots, their formula and their kernel.

    >>> from hornbeam import keras
    >>> class SignDescent(keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * keras.ops.sign(gradient))
    >>> weight = keras.Variable([1.0, 2.0])
    >>> SignDescent(learning_rate=0.5).apply([keras.ops.array([3.0, -4.0])], [weight])
    >>> weight.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for unknown arguments and for values out of range."""
        refuse_unknown(type(self).__name__, kwargs)
        check_arguments(
            {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm},
            ema_momentum if use_ema else None,
            ema_overwrite_frequency,
            gradient_accumulation_steps,
        )
        super().__init__(name)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._trainable_variables: list[Variable] = []
        self._indices: dict[Variable, int] = {}
        self._slots: dict[str, list[Variable]] = {}
        self._partial_slots: dict[str, dict[int, Variable]] = {}
        self._shared: dict[str, Variable] = {}
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        # The variables before `build_for_now`, until `apply` is called.
        self._unbuilt: list[Variable] | None = None
        self._undecayed: tuple[set[Variable], tuple[str, ...]] = (set(), ())
        self._iterations = self.add_variable(
            (), dtype="int64", aggregation="only_first_replica", name="iteration"
        )
        self._learning_rate = self._first_learning_rate(learning_rate)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let `help` and editors show the arguments that `**kwargs` hands on to the base."""
        super().__init_subclass__(**kwargs)
        signature = signature_with_base(cls, Optimizer)
        if signature is not None:
            cls.__signature__ = signature  # type: ignore

    @property
    def iterations(self) -> Any:
        """Return the number of updates so far."""
        if self.gradient_accumulation_steps:
            return Tensor(scope.read(self._iterations) // self.gradient_accumulation_steps)
        return self._iterations

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._indices = {variable: i for i, variable in enumerate(self._trainable_variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(self._trainable_variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(
                self._trainable_variables, "gradient_accumulator"
            )
        self._add_slots()
        self.built = True

    def build_for_now(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables, until the first call of `apply` turns out to be for others too."""
        if not self.built:
            self._unbuilt = list(self._variables)
            self.build(variables)

    def _build_anew(self, variables: list[Variable]) -> None:
        self._variables = self._unbuilt or []
        self._slots, self._partial_slots, self._shared, self.built = {}, {}, {}, False
        self.build(variables)

    def _add_slots(self) -> None:
        parts = self.parts(self._trainable_variables)
        for name, made in add_slots(self, self._trainable_variables, parts).items():
            if len(made) == len(self._trainable_variables):
                self._slots[name] = list(made.values())
            else:
                self._partial_slots[name] = made
        for slot in () if (rule := self.rule()) is None else rule.shared:
            self._shared[slot.name] = self.add_variable((), Constant(slot.first), name=slot.name)

    def minimize(
        self,
        loss: TensorLike | Callable[[], Any],
        var_list: Structure[Variable] | Callable[[], Structure[Variable]],
        tape: GradientTape | None = None,
    ) -> Any:
        """Update variables so that a loss becomes smaller; return the number of updates so far.

        `loss` is a function without arguments, or a tensor, with the `tape` that recorded it; `var_list` are the variables,
        or a function that returns them. Raises ValueError for a tensor without a tape.

        >>> import hornbeam as tf
        >>> x = tf.Variable(2.0)
        >>> _ = tf.keras.optimizers.SGD(0.1).minimize(lambda: x * x, [x])
        >>> print(x.numpy())
        1.6
        """
        return self.apply_gradients(gradients_of(loss, var_list, tape, self.scale_loss))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Update variables by `(gradient, variable)` pairs; return the number of updates so far."""
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("`apply_gradients` received no pairs of gradient and variable.")
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(
        self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Update variables by their gradients; without `trainable_variables`, those of `build`.

        A gradient may be None: its variable stays as it is. Raises ValueError where all are None, for
        variables that the optimizer was not built with, and for gradients of another shape.
        """
        grads = list(grads)
        if not grads:
            return
        targets = self._targets(grads, trainable_variables)
        with scope.autocast(None):  # updates are made in the type that variables are stored in
            gradients, variables = usable_gradients(grads, targets)
            if compiled.can_be_compiled(self, targets) and not any(map(is_traced, gradients)):

                def update(optimizer: Optimizer, gradients: list[jax.Array]) -> None:
                    optimizer._apply(gradients, variables, targets)

                compiled.run(self, update, gradients, variables, targets)
            else:
                with leaks.told():
                    self._apply(gradients, variables, targets)

    def _apply(
        self, gradients: list[jax.Array], variables: list[Variable], targets: list[Variable]
    ) -> None:
        """Update `variables` by their gradients; `targets` are these and those without a gradient."""
        if self.loss_scale_factor is not None:
            gradients = [gradient / self.loss_scale_factor for gradient in gradients]
        if variables:
            self._accumulate_or_update(gradients, variables)
        for variable in targets:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.read_value()))
        self._iterations.assign_add(1)

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the values of the variables, and of the optimizer's own, after `apply`; nothing is assigned.

        Raises ValueError where the optimizer is not built or numbers of values do not match.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built: call "
                "`optimizer.build(trainable_variables)` first."
            )
        for name, given, own in (
            ("optimizer_variables", optimizer_variables, self.variables),
            ("trainable_variables", trainable_variables, self._trainable_variables),
        ):
            if len(given) != len(own):
                raise ValueError(f"`{name}` must hold {len(own)} values; received {len(given)}.")
        state = [*self._trainable_variables, *self.variables]
        values = [jnp.asarray(unwrap(v)) for v in (*trainable_variables, *optimizer_variables)]
        _, new = scope.pure(self.apply, state)(values, grads)
        count = len(self._trainable_variables)
        return [Tensor(v) for v in new[:count]], [Tensor(v) for v in new[count:]]

    def rule(self) -> Rule | None:
        """Return how this optimizer changes a variable; None for one that overrides `update_step`."""
        return None

    def parts(self, variables: Sequence[Variable]) -> list[Part]:
        """Return the variables with their rules: those of all are the same, unless a class says otherwise."""
        return [Part(self.rule(), self.weight_decay, variables)]

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable, and the slots that belong to it."""
        part = next(each for each in self.parts([variable]) if each.variables)
        if part.rule is None:
            raise missing_step(self)
        target = self._target(part, jnp.asarray(unwrap(gradient)), variable)
        rule_steps.update_one(part.rule, self._moment(part, learning_rate), target)

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Exempt variables from `weight_decay`: those listed, and those whose name a pattern matches."""
        self._undecayed = (set(var_list or ()), tuple(var_names or ()))

    def average_pairs(self) -> list[tuple[Variable, Variable]]:
        """Return the variables and their averages; an empty list without `use_ema` and before `build`."""
        return list(zip(self._trainable_variables, self._averages, strict=bool(self._averages)))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Replace the variables by their averages, where these are kept (`use_ema`)."""
        if self.use_ema:
            for variable in var_list:
                average = self._averages[self._get_variable_index(variable)]
                variable.assign(Tensor(scope.read(average)))

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the present learning rate."""
        rate = self._learning_rate
        rate = float(rate.numpy()) if isinstance(rate, Variable) else rate
        arguments = {**constructor_arguments(self), "learning_rate": rate}
        return {name: serialize_keras_object(value) for name, value in arguments.items()}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Make an optimizer from what `get_config` returned."""
        return cls(**{k: deserialize_keras_object(v, custom_objects) for k, v in config.items()})

    def __repr__(self) -> str:
        rate = self._learning_rate
        shown = f"{float(rate.numpy()):g}" if isinstance(rate, Variable) else repr(rate)
        return f"<{type(self).__name__} name={self.name}, learning_rate={shown}>"

    # The steps of `apply`

    def _targets(self, grads: list[Any], given: Iterable[Variable] | None) -> list[Variable]:
        """Return the variables that the gradients belong to; build the optimizer on its first call."""
        if given is None and not self.built:
            raise ValueError(
                "`apply` received gradients without variables, and the optimizer has none yet: call "
                "`optimizer.build(trainable_variables)` first."
            )
        targets = self._trainable_variables if given is None else list(given)
        if len(grads) != len(targets):
            raise ValueError(
                f"The optimizer received {len(grads)} gradients for {len(targets)} variables."
            )
        if not self.built:
            for variable in targets:
                check_variable(variable)
            self.build(targets)
            self.built = True
        if self._unbuilt is not None:
            is_known = all(variable in self._indices for variable in targets)
            if not is_known and type(self).build is Optimizer.build:
                self._build_anew(targets)
            self._unbuilt = None
        for variable in targets:
            self._get_variable_index(variable)
        return targets

    def _target(self, part: Part, gradient: jax.Array, variable: Variable) -> rule_steps.Target:
        index, slots = self._get_variable_index(variable), {}
        if part.rule is not None:
            made = {**self._slots, **self._partial_slots}
            slots = slots_of(part.rule, made, index, variable, type(self).__name__)
        decays = part.weight_decay is not None and self._may_decay(variable)
        return rule_steps.Target(gradient, variable, slots, decays)

    def _moment(self, part: Part, learning_rate: Any) -> rule_steps.Moment:
        return rule_steps.Moment(
            learning_rate=jnp.asarray(unwrap(learning_rate)),
            step=jnp.asarray(unwrap(self.iterations)) + 1,
            weight_decay=part.weight_decay or 0.0,
            shared={name: scope.read(each) for name, each in self._shared.items()},
        )

    def _get_variable_index(self, variable: Variable) -> int:
        try:
            return self._indices[variable]
        except TypeError:  # a tensor has no hash
            check_variable(variable)
            raise
        except KeyError:
            raise ValueError(
                f"Unknown variable: {variable.path!r}. An optimizer works on the variables it was "
                "built with, those of the first call of `apply`; make a new optimizer for others, or call "
                "`optimizer.build` with all of them before."
            ) from None

    def _accumulate_or_update(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        if self.gradient_accumulation_steps:
            accumulate(
                gradients,
                sums=[self._accumulators[self._get_variable_index(each)] for each in variables],
                all_sums=self._accumulators,
                count=self.gradient_accumulation_steps,
                done=scope.read(self._iterations),
                update=lambda means: self._update(means, variables),
                state=[*self._trainable_variables, *self._variables],
            )
        else:
            self._update(gradients, variables)
        if self.use_ema:
            update_averages(
                self.average_pairs(),
                jnp.asarray(unwrap(self.iterations)),
                self.ema_momentum,
                self.ema_overwrite_frequency,
            )

    def _update(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        gradients = clip(gradients, self.clipnorm, self.global_clipnorm, self.clipvalue)
        rule, rate = self.rule(), self.learning_rate
        if rule is not None:
            rule_steps.advance(rule, jnp.asarray(unwrap(self.iterations)) + 1, self._shared)
        by_variable = {id(v): gradient for v, gradient in zip(variables, gradients, strict=True)}
        is_own = rule is None or overrides_update_step(type(self), Optimizer)
        for part in self.parts(variables):
            moment = self._moment(part, rate)
            targets = [self._target(part, by_variable[id(each)], each) for each in part.variables]
            if is_own or part.rule is None:
                rule_steps.decay(moment, targets)
            else:
                rule_steps.update(part.rule, moment, targets)
        if is_own:
            step = own_step(self)
            for gradient, variable in zip(gradients, variables, strict=True):
                step(Tensor(gradient), variable, rate)

    def _may_decay(self, variable: Variable) -> bool:
        exempt, patterns = self._undecayed
        return variable not in exempt and not any(re.search(p, variable.name) for p in patterns)
