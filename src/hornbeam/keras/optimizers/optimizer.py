"""The base of all optimizers: the way from gradients to updated variables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.arguments import check_count, refuse_unknown
from hornbeam.keras.optimizers.branches import choose
from hornbeam.keras.optimizers.gradients import (
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    usable_gradients,
)
from hornbeam.keras.optimizers.state import OptimizerState
from hornbeam.keras.registry import (
    Registry,
    constructor_arguments,
    deserialize_keras_object,
    serialize_keras_object,
)
from hornbeam.kernels import updates

registry = Registry("optimizer", "keras.optimizers")

Slots = updates.Slots


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

    The optimizers of this package override `update`, a rule for one variable, or give it as a `rule`, by which a kernel
    updates all variables at once.

    >>> from hornbeam import keras
    >>> class SignDescent(keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * keras.ops.sign(gradient))
    >>> weight = keras.Variable([1.0, 2.0])
    >>> SignDescent(learning_rate=0.5).apply([keras.ops.array([3.0, -4.0])], [weight])
    >>> weight.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    _by_rule = True  # whether `rule` may be used in place of `update`

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
        if sum(each is not None for each in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "At most one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set; received "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}."
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` lies between 0 and 1; received {ema_momentum!r}.")
        check_count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        check_count("gradient_accumulation_steps", gradient_accumulation_steps, 2)
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
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._undecayed: tuple[set[Variable], tuple[str, ...]] = (set(), ())
        self._iterations = self.add_variable(
            (), dtype="int32", aggregation="only_first_replica", name="iteration"
        )
        self._learning_rate = self._first_learning_rate(learning_rate)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let `help` and editors show the arguments that `**kwargs` hands on to the base.

        A subclass that has an update of its own is not updated by the rule that it inherits.
        """
        super().__init_subclass__(**kwargs)
        if vars(cls).keys() & {"update", "update_step", "update_all"}:
            cls._by_rule = False
        own = list(inspect.signature(cls.__init__).parameters.values())[1:]
        if own and own[-1].kind is inspect.Parameter.VAR_KEYWORD:
            names = {each.name for each in own}
            base = list(inspect.signature(Optimizer.__init__).parameters.values())[1:-1]
            shared = [
                each.replace(kind=each.KEYWORD_ONLY) for each in base if each.name not in names
            ]
            cls.__signature__ = inspect.Signature([*own[:-1], *shared, own[-1]])  # type: ignore

    @property
    def iterations(self) -> Any:
        """The number of updates so far."""
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
        self.built = True

    def add_slots(self, *names: str, initializer: Any = "zeros") -> None:
        """One variable of each name per trainable variable; `update` gets their values by name."""
        slots = self.add_optimizer_variables(self._trainable_variables, list(names), initializer)
        self._slots.update(zip(names, slots, strict=True))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Update variables by `(gradient, variable)` pairs; gives the number of updates so far."""
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
            if self.loss_scale_factor is not None:
                gradients = [gradient / self.loss_scale_factor for gradient in gradients]
            if variables:
                self._accumulate_or_update(gradients, variables)
            for variable in targets:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable.value))
            self._iterations.assign_add(1)

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """`apply` as a pure function of values: the new ones of the variables, and of its own.

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

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable, and the slots that belong to it."""
        slots = self._slots_of(variable)
        value = scope.read(variable)
        rate = jnp.asarray(unwrap(learning_rate)).astype(value.dtype)
        old = {name: scope.read(slot) for name, slot in slots.items()}
        step = jnp.asarray(unwrap(self.iterations)) + 1
        value, new = self.update(unwrap(gradient), value, old, rate, step)
        variable.assign(Tensor(value))
        for name, slot in slots.items():
            slot.assign(Tensor(new[name]))

    def update(
        self,
        gradient: jax.Array,
        value: jax.Array,
        slots: Slots,
        learning_rate: jax.Array,
        step: jax.Array,
    ) -> tuple[jax.Array, Slots]:
        """The rule: new value and slots of one variable, from raw arrays; `step` counts from 1."""
        rule = self.rule()
        if rule is None:
            raise NotImplementedError(
                f"{type(self).__name__} must implement `update_step(gradient, variable, learning_rate)`."
            )
        return rule(gradient, value, slots, self.rate_of_rule(learning_rate, step))

    def rule(self) -> updates.Rule | None:
        """The formula that `update` computes, and the kernel for it; None for an `update` of its own."""
        return None

    def rate_of_rule(self, learning_rate: jax.Array, step: jax.Array) -> jax.Array:
        """The rate that `rule` takes, at a step counted from 1."""
        del step
        return learning_rate

    def update_all(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        """Update variables by raw gradients that are ready for the rule."""
        rate = self.learning_rate
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(Tensor(gradient), variable, rate)

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Exempt variables from `weight_decay`: those given, and those whose name a pattern matches."""
        self._undecayed = (set(var_list or ()), tuple(var_names or ()))

    def averages(self) -> list[tuple[Variable, Variable]]:
        """Return the variables with their averages (`use_ema`); none before the optimizer is built."""
        return (
            list(zip(self._trainable_variables, self._averages, strict=True))
            if self.use_ema
            else []
        )

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Replace the variables by their averages, where these are kept (`use_ema`)."""
        if self.use_ema:
            for variable in var_list:
                average = self._averages[self._get_variable_index(variable)]
                variable.assign(Tensor(scope.read(average)))

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, the learning rate as it is now."""
        rate = self._learning_rate
        rate = float(rate.numpy()) if isinstance(rate, Variable) else rate
        arguments = {**constructor_arguments(self), "learning_rate": rate}
        return {name: serialize_keras_object(value) for name, value in arguments.items()}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """An optimizer from what `get_config` gave."""
        return cls(**{k: deserialize_keras_object(v, custom_objects) for k, v in config.items()})

    def __repr__(self) -> str:
        rate = self._learning_rate
        shown = f"{float(rate.numpy()):g}" if isinstance(rate, Variable) else repr(rate)
        return f"<{type(self).__name__} name={self.name}, learning_rate={shown}>"

    # The steps of `apply`

    def _targets(self, grads: list[Any], given: Iterable[Variable] | None) -> list[Variable]:
        """The variables that the gradients belong to."""
        if given is None and not self.built:
            raise ValueError(
                "`apply` was given gradients without variables, and the optimizer has none yet: call "
                "`optimizer.build(trainable_variables)` first."
            )
        targets = self._trainable_variables if given is None else list(given)
        if len(grads) != len(targets):
            raise ValueError(
                f"The optimizer received {len(grads)} gradients for {len(targets)} variables."
            )
        if not self.built:
            self.build(targets)
            self.built = True
        for variable in targets:
            self._get_variable_index(variable)
        return targets

    def _get_variable_index(self, variable: Variable) -> int:
        try:
            return self._indices[variable]
        except KeyError:
            raise ValueError(
                f"Unknown variable: {variable.path!r}. An optimizer works on the variables it was "
                "built with; make a new optimizer for others."
            ) from None

    def _accumulate_or_update(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        if self.gradient_accumulation_steps:
            self._accumulate(gradients, variables)
        else:
            self._update(gradients, variables)
        if self.use_ema:
            self._average()

    def _update(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        if self.clipnorm is not None:
            gradients = [clip_by_norm(each, self.clipnorm) for each in gradients]
        elif self.global_clipnorm is not None:
            gradients = clip_by_global_norm(gradients, self.global_clipnorm)
        elif self.clipvalue is not None:
            gradients = [clip_by_value(each, self.clipvalue) for each in gradients]
        rule = self.rule() if self._by_rule else None
        if not updates.pays(sum(each.size for each in gradients)):
            rule = None
        together, alone = [], []
        for gradient, variable in zip(gradients, variables, strict=True):
            arrays = gradient, *map(scope.read, (variable, *self._slots_of(variable).values()))
            suits = rule is not None and updates.suits(rule, *arrays)
            (together if suits else alone).append((gradient, variable))
        if rule is not None and together:
            self._update_together(rule, *map(list, zip(*together, strict=True)))
        if alone:
            gradients, variables = map(list, zip(*alone, strict=True))
            self._decay(variables)
            self.update_all(gradients, variables)

    def _update_together(
        self, rule: updates.Rule, gradients: list[jax.Array], variables: list[Variable]
    ) -> None:
        """Decay and update variables by one call of the rule's kernel."""
        learning_rate = jnp.asarray(unwrap(self.learning_rate)).astype(jnp.float32)
        step = jnp.asarray(unwrap(self.iterations)) + 1
        slots = [self._slots_of(variable) for variable in variables]
        values, new = updates.update_all(
            rule,
            self.rate_of_rule(learning_rate, step),
            learning_rate * (self.weight_decay or 0.0),
            [self._decays(variable) for variable in variables],
            gradients,
            [scope.read(variable) for variable in variables],
            [{name: scope.read(slot) for name, slot in each.items()} for each in slots],
        )
        for i, variable in enumerate(variables):
            variable.assign(Tensor(values[i]))
            for name in rule.slots:
                slots[i][name].assign(Tensor(new[i][name]))

    def _slots_of(self, variable: Variable) -> dict[str, Variable]:
        index = self._get_variable_index(variable)
        return {name: each[index] for name, each in self._slots.items()}

    def _decays(self, variable: Variable) -> bool:
        exempt, patterns = self._undecayed
        return not (
            self.weight_decay is None
            or variable in exempt
            or any(re.search(each, variable.name) for each in patterns)
        )

    def _decay(self, variables: list[Variable]) -> None:
        for variable in filter(self._decays, variables):
            value = scope.read(variable)
            rate = jnp.asarray(unwrap(self.learning_rate))
            share = (rate * (self.weight_decay or 0.0)).astype(value.dtype)
            variable.assign(Tensor(updates.decayed(value, share)))

    def _accumulate(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        """Add to the sums of gradients; with the last of a round, update and start anew."""
        sums = [self._accumulators[self._get_variable_index(each)] for each in variables]

        def wait() -> None:
            for each, gradient in zip(sums, gradients, strict=True):
                each.assign_add(gradient)

        def update() -> None:
            count = self.gradient_accumulation_steps
            means = [
                (scope.read(each) + gradient) / count
                for each, gradient in zip(sums, gradients, strict=True)
            ]
            self._update(means, variables)
            for each in self._accumulators:
                each.assign(Tensor(jnp.zeros_like(scope.read(each))))

        last = (scope.read(self._iterations) + 1) % self.gradient_accumulation_steps == 0
        choose(last, update, wait, [*self._trainable_variables, *self._variables])

    def _average(self) -> None:
        step = jnp.asarray(unwrap(self.iterations))
        momentum = jnp.where(step == 0, 0.0, self.ema_momentum)  # the first average is the weight
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            value = scope.read(variable)
            share = momentum.astype(value.dtype)
            mean = share * scope.read(average) + (1 - share) * value
            average.assign(Tensor(mean))
            if self.ema_overwrite_frequency:
                due = (step + 1) % self.ema_overwrite_frequency == 0
                variable.assign(Tensor(jnp.where(due, mean, value)))
