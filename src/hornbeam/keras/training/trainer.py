"""The training side of a model: `compile`, the overridable steps, and the doors into the loop."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import numpy as np

from hornbeam.core import eager, scope
from hornbeam.core.ordered import tree_map
from hornbeam.core.snapshot import Snapshot
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.user_code import warn
from hornbeam.keras import optimizers
from hornbeam.keras.compiled.loss import CompileLoss, LossLike
from hornbeam.keras.compiled.metrics import CompileMetrics, MetricLike, check_metrics
from hornbeam.keras.compiled.outputs import PerOutput, Tensors, flat_values
from hornbeam.keras.engine import building
from hornbeam.keras.engine.contents import KeptWalk
from hornbeam.keras.engine.context import call_context
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.engine.tracking import own_metrics, unique
from hornbeam.keras.engine.trainability import Trainability
from hornbeam.keras.metrics import Mean
from hornbeam.keras.sources.adapters import (
    Input,
    make_feed,
    packed,
    split_off,
    validation_feed,
)
from hornbeam.keras.sources.arrays import ArraySource
from hornbeam.keras.sources.class_weight import ClassWeight, check_keys, weigher
from hornbeam.keras.sources.convert import Arrays
from hornbeam.keras.sources.source import DEFAULT, Data, Placement
from hornbeam.keras.training import loop
from hornbeam.keras.training.loop import Callbacks, Logs, Schedule
from hornbeam.keras.training.programs import check_validation, program_for
from hornbeam.keras.training.run import Run
from hornbeam.keras.training.step import Program, reach_of, unwrapped
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight

OptimizerLike: TypeAlias = "optimizers.Optimizer | str | Mapping[str, Any] | None"


@dataclass
class CompileConfig:
    """What `compile` was given."""

    optimizer: OptimizerLike
    loss: PerOutput[LossLike]
    loss_weights: PerOutput[float]
    metrics: PerOutput[MetricLike]
    weighted_metrics: PerOutput[MetricLike]
    run_eagerly: bool
    steps_per_execution: int
    jit_compile: bool | str


class Trainer(Layer):
    """A layer that can be trained; the base of `Model`."""

    stop_training = False
    compiled = False
    run_eagerly = False
    history: Any = None
    optimizer: Any = None
    placement: Placement = DEFAULT
    _run: Run | None = None
    _compile_loss: CompileLoss | None = None
    _compile_metrics: CompileMetrics
    _programs: dict[Any, Program]
    _as_compiled: Trainability | None = None

    def compile(
        self,
        optimizer: OptimizerLike = "rmsprop",
        loss: PerOutput[LossLike] = None,
        loss_weights: PerOutput[float] = None,
        metrics: PerOutput[MetricLike] = None,
        weighted_metrics: PerOutput[MetricLike] = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model learns and what is measured.

        With `auto_scale_loss` the optimizer of a `mixed_float16` model is wrapped in a `LossScaleOptimizer`.
        `steps_per_execution` and `jit_compile` are accepted for compatibility: steps are always compiled, unless
        `run_eagerly` asks for plain Python. Raises ValueError for an unknown optimizer, loss or metric.
        """
        if _are_metrics(loss_weights):  # third in Keras 2, and courses pass them by position
            loss_weights, metrics = metrics, loss_weights  # type: ignore[assignment]
        compile_loss = None if loss is None else CompileLoss(loss, loss_weights)
        check_metrics(metrics, weighted_metrics)
        unscaled = optimizers.get(optimizer)
        self.optimizer = self._scaling_optimizer(unscaled, auto_scale_loss)
        self.loss = loss
        self.run_eagerly = run_eagerly
        self.auto_scale_loss = auto_scale_loss
        self.compile_config = CompileConfig(
            # One that scales is saved as such: the model may be loaded under another policy, and goes on with its state.
            optimizer if self.optimizer is unscaled else self.optimizer,
            loss,
            loss_weights,
            metrics,
            weighted_metrics,
            run_eagerly,
            steps_per_execution,
            jit_compile,
        )
        self._compile_loss = compile_loss
        self._compile_metrics = CompileMetrics(metrics, weighted_metrics)
        self._loss_tracker = Mean(name="loss")
        self._programs = {}
        self._as_compiled = Trainability(self)
        self.stop_training = False
        self.compiled = True

    def _scaling_optimizer(self, optimizer: Any, auto_scale_loss: bool) -> Any:
        """Return the optimizer, wrapped in one that scales the loss where float16 needs that."""
        scales = isinstance(optimizer, optimizers.LossScaleOptimizer)
        is_half = self.dtype_policy.name == "mixed_float16"
        if optimizer is None or scales or not auto_scale_loss or not is_half:
            return optimizer
        return optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")

    # What a subclass may override

    def train_step(self, data: Data) -> dict[str, Any]:
        """Train on a batch and return the logs.

        `data` is `x`, `(x, y)` or `(x, y, sample_weight)`, as it was passed to `fit` or made by the generator. The step
        runs inside a compiled program, and what it assigns to variables takes effect.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)

        def forward() -> tuple[Any, Any]:
            with call_context(fresh=True):
                y_pred = self(x, training=True)
                loss = self._total_loss(x, y, y_pred, sample_weight, training=True)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        variables = self.trainable_variables
        value_and_grad = (eager if self.run_eagerly else scope).value_and_grad
        (_, (loss, y_pred)), gradients = value_and_grad(forward, variables)()
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        self.optimizer.apply(gradients, variables)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Data) -> dict[str, Any]:
        """Evaluate a batch and return the logs."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with call_context(fresh=True):
            y_pred = self(x, training=False)
            loss = self._total_loss(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=_rows(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Data) -> Any:
        """Return the outputs for a batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self,
        x: Tensors = None,
        y: Tensors = None,
        y_pred: Tensors = None,
        sample_weight: Tensors = None,
        training: bool = True,
    ) -> Any:
        """Return the total loss: that of `compile`, and what layers and regularizers add."""
        del x, training  # for overriding methods
        terms = list(self.losses)
        if self._compile_loss is not None:
            terms.insert(0, self._compile_loss(y, y_pred, sample_weight, self._output_names()))
        if not terms:
            raise ValueError(
                f"The model {self.name!r} has nothing to minimise: give compile a `loss`, or call add_loss in a layer."
            )
        return sum(terms[1:], start=terms[0])

    def _total_loss(
        self, x: Tensors, y: Tensors, y_pred: Tensors, sample_weight: Tensors, training: bool
    ) -> Any:
        """Call `compute_loss`; a user's may be older than its argument `training`."""
        is_known = "training" in inspect.signature(self.compute_loss).parameters
        told = {"training": training} if is_known else {}
        return self.compute_loss(x, y, y_pred, sample_weight, **told)

    def compute_metrics(
        self, x: Tensors, y: Tensors, y_pred: Tensors, sample_weight: Tensors = None
    ) -> dict[str, Any]:
        """Update the metrics of `compile`; return the values of all metrics by name."""
        del x
        self._compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the values of all metrics by name."""
        logs: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            logs.update(value if isinstance(value, dict) else {metric.name: value})
        return logs

    # Metrics

    @property
    def metrics(self) -> list[Any]:
        """The loss, the metrics of `compile`, and those that the model and its layers hold.

        A model inside this one keeps its own loss and metrics to itself, as in Keras.
        """
        walk = vars(self).get("_kept_metrics") or vars(self).setdefault(
            "_kept_metrics", KeptWalk(_held_metrics)
        )
        held = walk.found(self)
        if not self.compiled:
            return held
        trackers = self._compile_loss.trackers if self._compile_loss is not None else []
        own = [self._loss_tracker, self._compile_metrics, *trackers]
        others = [m for m in held if all(m is not each for each in own)]
        # As in Keras, the metrics of `compile` are one entry, and none where `compile` was given none.
        return [each for each in [*own, *others] if getattr(each, "is_given", True)]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Reset all metrics."""
        for metric in self.metrics:
            metric.reset_state()

    def _output_names(self) -> list[str] | None:
        """Return the names of the outputs; None where the model does not know them."""
        return None

    def as_compiled(self) -> AbstractContextManager[Any]:
        """Return a context in which layers and weights are trainable as they were when `compile` was called."""
        return nullcontext() if self._as_compiled is None else self._as_compiled

    def _warn_of_changes_since_compile(self) -> None:
        """Warn of `trainable` set after `compile`, once for each change."""
        news = self._as_compiled.news(self) if self._as_compiled is not None else []
        if news:
            more = f" and {len(news) - 5} more" if len(news) > 5 else ""
            warn(
                f"`trainable` was changed after the model {self.name!r} was compiled: {', '.join(news[:5])}{more}. "
                "Training goes on as it was at compile; call model.compile(...) again to let the change count.",
            )

    def _warn_of_own_function(self, kind: str) -> None:
        """Warn of a method of the user's that Keras would ask for the function that runs steps."""
        name = f"make_{kind}_function"
        if hasattr(type(self), name):
            warn(
                f"{type(self).__name__}.{name} is not called: what runs the steps is made by fit, evaluate and predict "
                f"themselves. Write what a step does in `{kind}_step`; run_eagerly=True lets nothing be compiled."
            )

    # Before the first step

    def check_batch(self, batch: Data) -> None:
        """Raise ValueError for data that a compiled step can't tell from good ones: it computes NaN, or nonsense.

        `batch` is x, (x, y) or (x, y, sample_weight), arrays on the host. Layers check their own inputs, such as an
        index without an embedding; the losses check the targets. Called before the first step on all data that lie in
        memory, and on each batch of a stream.
        """
        x, y, _ = unpack_x_y_sample_weight(batch)
        self.check_values(x)
        if self._compile_loss is not None:
            self._compile_loss.check_targets(y)

    def prepare(self, first: Data, kind: str) -> None:
        """Make all state that a step needs: weights, metrics, the optimizer's slots. Nothing is computed.

        `first` is a batch of arrays; `kind` is "train", "test" or "predict".
        """
        x, y, _ = unpack_x_y_sample_weight(first)
        y_pred = self._first_outputs(x)
        if y_pred is not None and self.compiled and kind != "predict":
            if self._compile_loss is not None and self._compile_loss.entries is None:
                self._compile_loss.build(y_pred, self._output_names())
            if self._compile_metrics.entries is None:
                taught = None if self._compile_loss is None else self._compile_loss.places
                self._compile_metrics.build(
                    _symbols(y), y_pred, self._output_names(), taught, not self.run_eagerly
                )
        if self._as_compiled is not None:
            self._as_compiled.keep(self)
        if kind == "train":
            variables = self.trainable_variables
            if self.optimizer is not None and not self.optimizer.built and variables:
                is_ours = isinstance(self.optimizer, optimizers.Optimizer)
                ahead = self.has_own_step("train") and is_ours
                (self.optimizer.build_for_now if ahead else self.optimizer.build)(variables)
        is_own = self.has_own_step(kind)
        compile_loss = None if _is_overridden(self, "compute_loss") else self._compile_loss
        if kind != "predict" and not is_own and compile_loss and compile_loss.entries:
            compile_loss.require_targets(y)

    def has_own_step(self, kind: str) -> bool:
        """Return whether the step of that kind is the user's: "train", "test" or "predict"."""
        return _is_overridden(self, f"{kind}_step")

    def _first_outputs(self, x: Tensors) -> Any:
        """Return symbolic outputs for a batch; where Python is to see values, those that `call` computes."""
        if not self.run_eagerly or not self._computes_by_call():
            return self._symbolic_outputs(_symbols(x))
        with scope.StateScope(), call_context(fresh=True):
            outputs = self(tree_map(convert_to_tensor, x), training=False)
        return _symbols(unwrapped(outputs))

    def _computes_by_call(self) -> bool:
        """Return whether the outputs are found by running the class's own `call`."""
        return True

    def _symbolic_outputs(self, x: Tensors) -> Any:
        """Return symbolic outputs for symbolic inputs; None for a model without `call`, whose steps call its parts."""
        if not self._builds_in_call():
            building.ensure_built(self, {"inputs": x})
        outputs = self.compute_output_spec(x)
        building.ensure_built(self, {"inputs": x})
        return outputs

    # The loop

    def fit(
        self,
        x: Input = None,
        y: Arrays = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Callbacks = None,
        validation_split: float = 0.0,
        validation_data: Input = None,
        shuffle: bool | str = True,
        class_weight: ClassWeight | None = None,
        sample_weight: Arrays = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
    ) -> Any:
        """Train for `epochs` passes over the data; return a `History`.

        `x` is an array, a list or dict of arrays (b, ...), a generator of batches, or a `PyDataset`. `verbose`: 0
        silent, 1 a bar, 2 a line for each epoch. Ctrl-C ends the training between two steps, the model stays valid.

        >>> from hornbeam import keras
        >>> import numpy as np
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0)
        >>> len(history.history["loss"])
        3
        """
        self._require_compiled("fit")
        schedule = Schedule(epochs, initial_epoch, validation_freq)
        if validation_split and validation_data is None:
            split = split_off(x, y, sample_weight, validation_split)
            (x, y, sample_weight), validation_data = split  # type: ignore[misc]
        feed = make_feed(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            steps=steps_per_epoch,
            shuffle=shuffle,
            class_weight=class_weight,
            placement=self.placement,
        )
        validation = None
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = validation_feed(validation_data, size, validation_steps, self.placement)
        self._warn_of_changes_since_compile()
        self._warn_of_own_function("train")
        program = program_for(self, "train", feed.source)
        self._check_class_weight(class_weight)
        if validation is not None:
            check_validation(self, validation.source, feed.source)
        return loop.fit(self, program, feed, validation, schedule, callbacks, verbose)

    def evaluate(
        self,
        x: Input = None,
        y: Arrays = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Arrays = None,
        steps: int | None = None,
        callbacks: Callbacks = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the loss and metrics over data: a list, the loss alone where there is no metric, or a dict."""
        if kwargs:
            raise TypeError(f"evaluate received unknown arguments: {', '.join(map(repr, kwargs))}.")
        self._require_compiled("evaluate")
        self._warn_of_own_function("test")
        feed = make_feed(
            x, y, sample_weight, batch_size=batch_size, steps=steps, placement=self.placement
        )
        return self._as_result(loop.evaluate(self, feed, callbacks, verbose), return_dict)

    def predict(
        self,
        x: Input,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Callbacks = None,
    ) -> Any:
        """Return the outputs for data, as NumPy arrays. May be called from many threads at once."""
        self._warn_of_own_function("predict")
        feed = make_feed(
            x, batch_size=batch_size, steps=steps, resident=False, placement=self.placement
        )
        return loop.predict(self, feed, callbacks, verbose)

    def train_on_batch(
        self,
        x: Arrays,
        y: Arrays = None,
        sample_weight: Arrays = None,
        class_weight: ClassWeight | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch; return its loss and metrics."""
        logs = self._on_batch("train", packed(x, y, sample_weight), class_weight)
        return self._as_result(logs, return_dict)

    def test_on_batch(
        self,
        x: Arrays,
        y: Arrays = None,
        sample_weight: Arrays = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and metrics on one batch."""
        return self._as_result(self._on_batch("test", packed(x, y, sample_weight)), return_dict)

    def predict_on_batch(self, x: Arrays) -> Any:
        """Return the outputs for one batch, as NumPy arrays."""
        return tree_map(np.array, self._on_batch("predict", packed(x)))

    def _on_batch(self, kind: str, data: Data, class_weight: ClassWeight | None = None) -> Any:
        if kind != "predict":
            self._require_compiled(f"{kind}_on_batch")
        weighted = data if class_weight is None else weigher(class_weight)(data)
        source = ArraySource(weighted, batch_size=1 << 31, resident=False)
        program = program_for(self, kind, source)
        self._check_class_weight(class_weight)
        return loop.on_batch(self, kind, program, source.first())

    def finish_training(self) -> None:
        """Give the weights the values that the optimizer wants them to have after training, such as averages."""
        with self.as_compiled():
            if hasattr(self.optimizer, "finalize_variable_values") and self.optimizer.built:
                self.optimizer.finalize_variable_values(self.trainable_variables)

    def _snapshot(self) -> Snapshot:
        """Return the present values of all that a file of the model would hold, by reference."""
        reach = reach_of(self, "train")
        return Snapshot([*reach.changing, *reach.shared])

    def _require_compiled(self, what: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"The model {self.name!r} must be compiled before {what}: call "
                "model.compile(optimizer='adam', loss=..., metrics=[...]) first."
            )

    def _check_class_weight(self, class_weight: ClassWeight | None) -> None:
        classes = None if self._compile_loss is None else self._compile_loss.class_count()
        if class_weight is not None and classes is not None:
            check_keys(class_weight, classes)

    def _as_result(self, logs: Logs, return_dict: bool) -> Any:
        """Return the logs, or a list of their values: those of `metrics` in their order, then the others by name."""
        if return_dict:
            return logs
        names = [name for metric in self.metrics for name in _names_of(metric)]
        order = dict.fromkeys([*(name for name in names if name in logs), *sorted(logs)])
        values = [logs[name] for name in order]
        return values[0] if len(values) == 1 else values


def _held_metrics(model: Trainer) -> list[Any]:
    """Return the metrics that a model and its layers hold, but for those of models inside it."""
    layers = [x for x in model._depth_first() if x is model or not isinstance(x, Trainer)]
    return unique(metric for layer in layers for metric in own_metrics(layer))


def _names_of(metric: Any) -> list[str]:
    """Return the name of a metric, or those of the metrics that `compile` was given, without the outputs' names."""
    several = isinstance(metric, CompileMetrics)
    return [each.name for each in metric.metrics] if several else [metric.name]


def _are_metrics(loss_weights: object) -> bool:
    leaves = jax.tree.leaves(loss_weights)
    return any(isinstance(each, str) or callable(each) for each in leaves)


def _is_overridden(model: Trainer, name: str) -> bool:
    return getattr(type(model), name) is not getattr(Trainer, name)


def _rows(x: Tensors) -> int:
    leaves = [leaf for leaf in flat_values(x) if leaf is not None]
    return leaves[0].shape[0] if leaves else 1


def _device_type(array: np.ndarray) -> np.dtype:
    return jax.dtypes.canonicalize_dtype(array.dtype)


def _symbols(tree: Tensors) -> Any:
    """Return symbolic tensors of the shapes and types of a batch, the number of rows left open."""
    return tree_map(lambda a: KerasTensor((None, *a.shape[1:]), _device_type(a)), tree)
