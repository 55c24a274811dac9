"""The kinds of offers and origins: as the documents list them, typed, and none keeps its own value alive."""

from __future__ import annotations

import ast
import dataclasses
import functools
import gc
import re
import types
import typing
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import fusion, origins, scope
from hornbeam.core.attached import Attachments
from hornbeam.core.variable import Variable
from hornbeam.keras import ops
from hornbeam.kernels import native
from hornbeam.ops.normalization import narrow_batch_normalization, wide_moments

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "hornbeam"
OFFERS = typing.get_args(fusion.Offer)
ORIGINS = typing.get_args(origins.Origin)
KINDS = OFFERS + ORIGINS
DRAW = np.random.default_rng(0)


def normal(*shape: int) -> jax.Array:
    return jnp.asarray(DRAW.normal(size=shape), jnp.float32)


# ------------------------------------------------------------------------------------------ documents


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """The tables of the decision: for each kind who makes it and who takes it."""
    text = (ROOT / "docs/design/0021-offers-and-origins-are-typed.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {
        kind: (set(makers.split(", ")), set(takers.split(", "))) for kind, makers, takers in rows
    }


def used() -> dict[str, tuple[set[str], set[str]]]:
    """The same, read off the source: who calls the class, and who asks for it."""
    found: dict[str, tuple[set[str], set[str]]] = {kind.__name__: (set(), set()) for kind in KINDS}
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text()
        if not re.search(r"import .*\bfusion\b|core\.origins import", text):
            continue
        place = str(path.relative_to(SOURCE)).removesuffix("/__init__.py")
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func).removeprefix("fusion.")
            if name in found:
                found[name][0].add(place)
            elif name in ("offered", "origin_of"):
                found[ast.unparse(call.args[1]).removeprefix("fusion.")][1].add(place)
    return found


def test_the_documents_list_who_makes_and_takes_each_kind() -> None:
    assert documented() == used()


def test_the_unions_hold_every_kind() -> None:
    for module, kinds in ((fusion, OFFERS), (origins, ORIGINS)):
        classes = [
            each
            for each in vars(module).values()
            if dataclasses.is_dataclass(each) and each.__module__ == module.__name__
        ]
        assert set(classes) == set(kinds)
        assert set(module.Kind.__constraints__) == set(kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_frozen_and_typed(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    hints = typing.get_type_hints(kind)
    assert "Any" not in str(hints) and "..." not in str(hints)


# ------------------------------------------------------------------------------------------ holding


def refers_to(holder: Any, value: object) -> bool:
    """Whether `holder` keeps `value` alive: by what it closes over, is bound to, or contains."""
    seen: set[int] = set()
    pending = [holder]
    while pending:
        each = pending.pop()
        if each is value:
            return True
        if id(each) in seen or isinstance(each, (types.ModuleType, type, jax.Array)):
            continue
        seen.add(id(each))
        if isinstance(each, types.FunctionType):
            pending += [*(each.__closure__ or ()), *(each.__defaults__ or ())]
        else:
            pending += gc.get_referents(each)
    return False


def test_what_a_closure_holds_is_found() -> None:
    x, y = normal(2), normal(2)
    for make in (
        lambda x: fusion.Relu(lambda: x),
        lambda x: fusion.Relu(functools.partial(jnp.add, x, 1.0)),
        fusion.Twin,
        lambda x: origins.Probabilities(x, 0),
    ):
        assert refers_to(make(x), x)
        assert not refers_to(make(x), y)


def convolutions(x: Any, kernel: Any, bias: Any, next_kernel: Any) -> Any:
    y = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias))
    y = tf.nn.max_pool2d(y, 2, 2, "VALID")
    y = tf.nn.relu(tf.nn.conv2d(y, next_kernel, 1, "VALID") + tf.convert_to_tensor(bias))
    return ops.sum(tf.nn.max_pool2d(y, 2, 2, "VALID"))


def residual(x: Any, gamma: Any) -> Any:
    for _ in range(2):
        mean, variance = wide_moments(x, (0, 1, 2))
        normalized = narrow_batch_normalization(x, mean, variance, -1, gamma, gamma, own=True)
        x = tf.nn.relu(normalized + x)
    return ops.sum(x)


def classified(x: Any, kernel: Any) -> Any:
    variable = Variable(np.zeros((64, 128), "float32"))
    with scope.StateScope([(variable, kernel)]), scope.autocast("bfloat16"):
        y = tf.nn.relu(ops.matmul(ops.cast(x, "bfloat16"), variable))
    return ops.sum(ops.softmax(y)) + ops.sum(ops.sigmoid(y))


def embedded(table: Any, indices: Any) -> Any:
    return ops.sum(tf.nn.embedding_lookup(table, indices))


PROGRAMS: list[tuple[Any, tuple[jax.Array, ...], set[type]]] = [
    (
        convolutions,
        (normal(4, 16, 16, 8), normal(3, 3, 8, 16), normal(16), normal(3, 3, 16, 16)),
        {fusion.BiasAdd, fusion.Add, fusion.Relu, fusion.MaxPool, fusion.First},
    ),
    (residual, (normal(8, 16, 16, 32), normal(32)), {fusion.Add, fusion.Relu, fusion.Twin}),
    (
        classified,
        (normal(256, 64), normal(64, 128)),
        {fusion.Relu, origins.Rounded, origins.Probabilities},
    ),
    (
        embedded,
        (normal(500, 64), jnp.arange(640).reshape(16, 40) % 500),
        {origins.LookedUp, origins.AddedRows},
    ),
]
NOT_NATIVE: set[type] = {origins.Rounded, origins.Probabilities}


def test_the_programs_make_every_kind() -> None:
    assert set.union(*(kinds for _, _, kinds in PROGRAMS)) == set(KINDS)


@pytest.mark.parametrize(
    ("program", "arguments", "kinds"), PROGRAMS, ids=[p.__name__ for p, *_ in PROGRAMS]
)
def test_nothing_attached_keeps_its_value_alive(
    program: Any, arguments: Any, kinds: set[type], monkeypatch: pytest.MonkeyPatch
) -> None:
    attach = Attachments.attach
    made: set[type] = set()
    held: list[str] = []

    def watched(self: Attachments, value: object, *objects: object) -> None:
        made.update(map(type, objects))
        held.extend(type(each).__name__ for each in objects if refers_to(each, value))
        attach(self, value, *objects)

    gc.collect()
    before = len(fusion._offers), len(origins._origins)
    monkeypatch.setattr(Attachments, "attach", watched)
    jax.jit(jax.grad(lambda *args: program(*args)._value)).trace(*arguments)
    assert not held
    assert made == kinds if native.available() else made == kinds & NOT_NATIVE
    gc.collect()
    assert (len(fusion._offers), len(origins._origins)) == before
