"""The same weights and gradients to Hornbeam's optimizers and to Keras's: same weights, state, names and configs."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam import keras as hornbeam
from hornbeam.core.tensor import unwrap
from hornbeam.keras import optimizers as ours
from tests.contract.test_optimizers import WITHOUT_RULE
from tests.tolerances import assert_close

theirs = keras.optimizers
STEPS = 10

# Keras's Variable has no `copy` argument in __array__, of which NumPy complains.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

OPTIMIZERS = [
    name
    for name in ours.__all__
    if inspect.isclass(getattr(ours, name)) and name not in ("Optimizer", *WITHOUT_RULE)
]
# The arguments that every optimizer takes.
SHARED: dict[str, dict[str, Any]] = {
    "defaults": {},
    "rate": {"learning_rate": 0.1},
    "clipnorm": {"learning_rate": 0.1, "clipnorm": 0.5},
    "clipvalue": {"learning_rate": 0.1, "clipvalue": 0.3},
    "global_clipnorm": {"learning_rate": 0.1, "global_clipnorm": 0.7},
    "weight_decay": {"learning_rate": 0.1, "weight_decay": 0.1},
    "loss_scale": {"learning_rate": 0.1, "loss_scale_factor": 4.0},
    "exponential": {"learning_rate": ("ExponentialDecay", 0.1, 3, 0.5)},
    "cosine": {"learning_rate": ("CosineDecay", 0.1, 20)},
    "average": {"learning_rate": 0.1, "use_ema": True},
    "averaged_weights": {
        "learning_rate": 0.1,
        "use_ema": True,
        "ema_momentum": 0.7,
        "ema_overwrite_frequency": 3,
    },
}
# Keras compiles anew at each accumulated step, which takes seconds; two optimizers stand for all.
ACCUMULATION: dict[str, dict[str, Any]] = {
    "accumulation": {"learning_rate": 0.1, "gradient_accumulation_steps": 3},
    "accumulation_and_more": {
        "learning_rate": ("ExponentialDecay", 0.1, 3, 0.5),
        "gradient_accumulation_steps": 3,
        "use_ema": True,
        "ema_momentum": 0.7,
        "ema_overwrite_frequency": 2,
        "weight_decay": 0.1,
        "clipnorm": 0.4,
    },
}
OWN: dict[str, list[dict[str, Any]]] = {
    "Adafactor": [{"beta_2_decay": -0.5, "epsilon_2": 0.1, "clip_threshold": 0.5}],
    "Muon": [
        {"nesterov": False, "rms_rate": None, "ns_steps": 2, "weight_decay": None},
        {"adam_weight_decay": 0.1, "adam_lr_ratio": 0.5, "exclude_layers": ["w0"]},
    ],
    "SGD": [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "ScheduleFreeAdamW": [{"warmup_steps": 4, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}],
    "Adam": [{"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}],
    "AdamW": [{"amsgrad": True, "weight_decay": 0.2}],
    "RMSprop": [
        {"momentum": 0.5, "rho": 0.5},
        {"centered": True},
        {"momentum": 0.5, "centered": True, "epsilon": 1e-3},
    ],
    "Adagrad": [{"initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    "Ftrl": [
        {"l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2},
        {"learning_rate_power": -0.7, "l2_shrinkage_regularization_strength": 0.1, "beta": 0.3},
    ],
}
CASES = [
    *((name, kind, kwargs) for name in OPTIMIZERS for kind, kwargs in SHARED.items()),
    *((name, kind, kwargs) for name in ("SGD", "Adam") for kind, kwargs in ACCUMULATION.items()),
    *(
        (name, ",".join(own), {"learning_rate": 0.1, **own})
        for name, rows in OWN.items()
        for own in rows
    ),
]
cases = pytest.mark.parametrize(
    ("name", "kwargs"),
    [(name, kwargs) for name, _, kwargs in CASES],
    ids=[f"{name}-{kind}" for name, kind, _ in CASES],
)


def described(cls: type) -> list[tuple[str, Any]]:
    return [(each.name, each.default) for each in inspect.signature(cls).parameters.values()]


def make(library: Any, name: str, kwargs: dict[str, Any], weights: list[np.ndarray]) -> Any:
    """An optimizer of one library, built on variables with these values, and the variables."""
    rate = kwargs.get("learning_rate")
    if isinstance(rate, tuple):
        kwargs = {
            **kwargs,
            "learning_rate": getattr(library.optimizers.schedules, rate[0])(*rate[1:]),
        }
    optimizer = getattr(library.optimizers, name)(name="opt", **kwargs)
    variables = [library.Variable(value, name=f"w{i}") for i, value in enumerate(weights)]
    variables[0].constraint = library.constraints.MinMaxNorm(0.2, 2.5, rate=0.5)
    optimizer.build(variables)
    return optimizer, variables


def arrays() -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    rng = np.random.default_rng(0)
    shapes = [(3, 2), (2,)]

    def draw() -> list[np.ndarray]:
        return [rng.normal(size=shape).astype("float32") for shape in shapes]

    return draw(), [draw() for _ in range(STEPS)]


@cases
def test_ten_steps(name: str, kwargs: dict[str, Any]):
    weights, gradients = arrays()
    mine, here = make(hornbeam, name, kwargs, weights)
    peer, there = make(keras, name, kwargs, weights)
    for step, grads in enumerate(gradients):
        mine.apply(grads, here)
        peer.apply([keras.ops.array(each) for each in grads], there)
        for variable, other in zip(
            [*here, *mine.variables], [*there, *peer.variables], strict=True
        ):
            assert_close(
                variable.numpy(), np.asarray(other.value), err_msg=f"{variable.path}, step {step}"
            )
    assert_close(float(mine.learning_rate), np.float32(peer.learning_rate))
    assert int(mine.iterations) == int(peer.iterations)
    mine.finalize_variable_values(here)
    peer.finalize_variable_values(there)
    for variable, other in zip(here, there, strict=True):
        assert_close(variable.numpy(), np.asarray(other.value), err_msg="finalized")


def type_in_tensorflow(variable: Any) -> str:
    """Return the type of a variable of Keras on TensorFlow, where steps are counted in 64 bits."""
    return "int64" if variable.path.endswith("/iteration") else variable.dtype


@cases
def test_names_types_and_config(name: str, kwargs: dict[str, Any]):
    weights, _ = arrays()
    mine, _ = make(hornbeam, name, kwargs, weights)
    peer, _ = make(keras, name, kwargs, weights)
    assert [(v.dtype, tuple(v.shape)) for v in mine.variables] == [
        (type_in_tensorflow(v), tuple(v.shape)) for v in peer.variables
    ]
    paths = [variable.path for variable in peer.variables]
    if (
        name == "Nadam"
    ):  # Keras leaves this one to automatic names, which depend on what was made before
        paths[-1] = "opt/u_product"
    assert [variable.path for variable in mine.variables] == paths
    assert mine.get_config() == peer.get_config()
    assert ours.serialize(mine) == theirs.serialize(peer)
    assert ours.deserialize(theirs.serialize(peer)).get_config() == mine.get_config()


def test_state_names_of_a_model():
    def paths(library: Any) -> list[str]:
        dense = [library.layers.Dense(2, name="first"), library.layers.Dense(1, name="second")]
        model = library.Sequential([library.Input((3,)), *dense], name="model")
        optimizer = library.optimizers.Adam(name="adam")
        optimizer.build(model.trainable_variables)
        return [variable.path for variable in optimizer.variables]

    assert paths(hornbeam) == paths(keras)


def test_loss_scale():
    """Variables, names, values and configurations, with a step that is skipped and a factor that grows."""

    def make(library: Any) -> tuple[Any, Any]:
        inner = library.optimizers.Adam(0.1, name="inner")
        optimizer = library.optimizers.LossScaleOptimizer(
            inner, initial_scale=8.0, dynamic_growth_steps=2, name="opt"
        )
        weight = library.Variable(np.float32([1.0, -2.0]), name="w")
        optimizer.build([weight])
        return optimizer, weight

    (mine, here), (peer, there) = make(hornbeam), make(keras)
    assert [v.path for v in mine.variables] == [v.path for v in peer.variables]
    for gradient in ([8.0, 4.0], [np.inf, 1.0], [1.0, 2.0], [3.0, -1.0], [np.nan, 0.0], [1.0, 1.0]):
        mine.apply([np.float32(gradient)], [here])
        # Keras's own `apply` leaks tracers on JAX.
        values = [v.value for v in peer.variables], [there.value]
        new, state = peer.stateless_apply(values[0], [jnp.float32(gradient)], values[1])
        for variable, value in zip([there, *peer.variables], [*new, *state], strict=True):
            variable.assign(value)
        pairs = zip([here, *mine.variables], [there, *peer.variables], strict=True)
        for variable, other in pairs:
            assert variable.dtype == type_in_tensorflow(other)
            assert_close(variable.numpy(), np.asarray(other.value), err_msg=variable.path)
        assert float(mine.scale_loss(2.0)) == float(peer.scale_loss(2.0))
    assert ours.serialize(mine) == theirs.serialize(peer)
    assert ours.deserialize(theirs.serialize(peer)).get_config() == mine.get_config()
    assert theirs.deserialize(ours.serialize(mine)).get_config() == peer.get_config()


@pytest.mark.parametrize("name", [*OPTIMIZERS, "Optimizer", *WITHOUT_RULE])
def test_signatures(name: str):
    assert described(getattr(ours, name)) == described(getattr(theirs, name))
    public = {each for each in dir(getattr(theirs, name)) if not each.startswith("_")}
    assert public <= set(dir(getattr(ours, name)))


SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.9), {}),
    ("ExponentialDecay", (0.1, 10, 0.9), {"staircase": True}),
    ("PiecewiseConstantDecay", ([5, 10], [1.0, 0.5, 0.1]), {}),
    ("PolynomialDecay", (0.1, 10), {}),
    ("PolynomialDecay", (0.1, 10, 0.01, 2.0), {"cycle": True}),
    ("InverseTimeDecay", (0.1, 10, 0.9), {}),
    ("InverseTimeDecay", (0.1, 10, 0.9), {"staircase": True}),
    ("CosineDecay", (0.1, 10), {}),
    ("CosineDecay", (0.1, 10), {"alpha": 0.2, "warmup_target": 0.5, "warmup_steps": 4}),
    ("CosineDecayRestarts", (0.1, 10), {}),
    ("CosineDecayRestarts", (0.1, 4), {"t_mul": 1.0, "m_mul": 0.9, "alpha": 0.1}),
    ("CosineDecayRestarts", (0.1, 4), {"t_mul": 1.5, "m_mul": 0.8}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), SCHEDULES, ids=str)
def test_schedules(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]):
    mine = getattr(ours.schedules, name)(*args, **kwargs)
    peer = getattr(theirs.schedules, name)(*args, **kwargs)
    steps = jnp.arange(30)
    assert_close(jax.vmap(lambda step: unwrap(mine(step)))(steps), jax.vmap(peer)(steps))
    assert ours.schedules.serialize(mine) == theirs.schedules.serialize(peer)
    assert described(type(mine)) == described(type(peer))


def test_every_schedule_is_compared():
    exported = {n for n in ours.schedules.__all__ if inspect.isclass(getattr(ours.schedules, n))}
    assert exported == {name for name, _, _ in SCHEDULES} | {"LearningRateSchedule"}
