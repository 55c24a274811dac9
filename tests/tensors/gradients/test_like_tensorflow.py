"""Tapes do what they do under TensorFlow 2.21, whose results are recorded."""

import json

import jax
import pytest

import hornbeam as tf
from hornbeam.core.backward import route
from tests.contract import test_door_of_faces as faces
from tests.tensors.gradients.record import FACES, FILE, recorded, slopes
from tests.tensors.gradients.scripts import SCRIPTS
from tests.tolerances import assert_close

RECORDED = json.loads(FILE.read_text())
SLOPES = json.loads(FACES.read_text())

# Gradients that differ, or that one side has and the other has not.
OTHERWISE = {
    "other draws": """nn.dropout random.gamma random.stateless_uniform random.uniform""",
    "vectors of any sign, and matrices of which both triangles count": """linalg.eigh linalg.eigh_tridiagonal
        linalg.eigvalsh linalg.svd linalg.logdet""",
    "rows that later ones replace have no gradient": "dynamic_stitch",
    "JAX has no derivative": """linalg.sqrtm matrix_square_root math.betainc""",
    "JAX has a derivative where TensorFlow has None": "math.zeta random.shuffle",
}
DIFFERING = {name for names in OTHERWISE.values() for name in names.split()}
COMPARED = sorted(set(SLOPES) & set(faces.ROWS) - DIFFERING)


def test_every_script_is_recorded():
    assert list(SCRIPTS) == list(RECORDED)
    assert set(SLOPES) >= DIFFERING


@pytest.mark.filterwarnings("ignore:Calling GradientTape.gradient on a persistent")
@pytest.mark.filterwarnings("ignore:The dtype of the watched tensor")
@pytest.mark.parametrize("name", SCRIPTS)
def test_it_does_what_tensorflow_does(name):
    got = json.loads(json.dumps(SCRIPTS[name](tf)))
    want = RECORDED[name]
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for ours, theirs in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert_close(ours, theirs)


@pytest.mark.parametrize("name", COMPARED)
def test_what_has_a_gradient(name):
    """None for the same inputs as in TensorFlow."""
    tape, sources, targets = recorded(tf, name)
    calls = tape._existing()
    ends = [slot for target in targets for slot in calls.slots_of(target)]
    found = [bool(route(calls, calls.slots_of(x), ends).sources) for x in sources]
    assert found == [slope is not None for slope in SLOPES[name]]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPARED)
def test_gradients_of_functions(name):
    want = SLOPES[name]
    got = slopes(tf, name)
    assert [x is None for x in got] == [x is None for x in want]
    assert_close([x for x in got if x is not None], [x for x in want if x is not None], "trained")
