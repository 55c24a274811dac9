"""The import hook: one module under two names, and a clear word for each name that there is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from hornbeam.launch import hook
from hornbeam.version import VERSION
from tests.launch.conftest import Launch

SAME = """\
import importlib.util, sys
import tensorflow as tf
import tensorflow.keras.layers as L
from tensorflow import keras
from tensorflow.keras.layers import Dense
import keras as k
from keras.layers import LSTM
import keras.layers as again
import hornbeam

assert L is hornbeam.keras.layers is tf.keras.layers is k.layers is sys.modules["keras.layers"]
assert k is keras is tf.keras is hornbeam.keras
assert Dense is hornbeam.keras.layers.Dense and LSTM is L.LSTM
assert again is L and isinstance(Dense(), k.layers.Dense)
assert L.__name__ == L.__spec__.name == "hornbeam.keras.layers"
assert (tf.__version__, k.__version__, hornbeam.__version__) == ("2.21.0", "3.15.1", "0.0")
assert tf.__name__ == "tensorflow" and tf.__file__ == hornbeam.__file__
assert {"nn", "keras", "__version__"} < set(dir(tf))
assert tf.nn.relu(-1) == 0
"""


def test_one_module_under_two_names(launch: Launch) -> None:
    done = launch("-c", SAME)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_real_one_is_never_imported(launch: Launch) -> None:
    assert launch("-c", "import tensorflow as t; print(t.__version__)", python=()).stdout == (
        "the real one\n"
    )
    code = "import tensorflow as tf, keras; print(tf.__version__, keras.__version__)"
    assert launch("-c", code).stdout == "2.21.0 3.15.1\n"
    # `real` is a module of the installed one only.
    assert "Hornbeam has no module 'keras.real'" in launch("-c", "import keras.real").stderr


def test_tools_that_ask_about_modules(launch: Launch) -> None:
    code = """\
import importlib, importlib.util, inspect, sys
assert importlib.util.find_spec("tensorflow") is not None and "tensorflow" not in sys.modules
assert importlib.util.find_spec("keras.layers").name == "keras.layers"
import tensorflow as tf
assert importlib.util.find_spec("tensorflow").name == "tensorflow"
assert importlib.util.find_spec("tensorflow.keras.layers") is not None
assert importlib.import_module("tensorflow.keras.layers") is tf.keras.layers
assert importlib.import_module(".layers", "tensorflow.keras") is tf.keras.layers
assert importlib.reload(tf) is tf and tf.__version__ == "2.21.0" and tf.nn.relu(2) == 2
assert repr(tf).startswith("<module 'tensorflow' (") and inspect.ismodule(tf)
assert not hasattr(tf, "__wrapped__") and hasattr(tf, "keras")
from tensorflow import *
assert keras is tf.keras
from keras.layers import *
assert Dense is keras.layers.Dense
"""
    done = launch("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


MISSING = {
    # Modules.
    "import tensorflow.keras.layer": "ModuleNotFoundError: Hornbeam has no module "
    "'tensorflow.keras.layer'. Did you mean 'layers'?",
    "import keras.no_such.deeper": "ModuleNotFoundError: Hornbeam has no module 'keras.no_such'.",
    "import tensorflow.keras.Model": "ModuleNotFoundError: 'tensorflow.keras.Model' is not a "
    "module. Write: from tensorflow.keras import Model",
    "import tensorflow.nn.deeper": "ModuleNotFoundError: No module named "
    "'tensorflow.nn.deeper'; 'tensorflow.nn' is not a package",
    "import tensorflow.launch": "ModuleNotFoundError: Hornbeam has no module 'tensorflow.launch'.",
    # Names in a from-import.
    "from tensorflow.keras.layers import Densee": "ImportError: cannot import name 'Densee' from "
    "'hornbeam.keras.layers': Hornbeam has no such name. Did you mean 'Dense'?",
    "from tensorflow.nn import rellu": "ImportError: cannot import name 'rellu' from "
    "'hornbeam.nn': Hornbeam has no such name. Did you mean 'relu'?",
    "from tensorflow import kears": "ImportError: cannot import name 'kears' from 'tensorflow': "
    "Hornbeam has no such name. Did you mean 'keras'?",
    "from keras import Modle, layers": "ImportError: cannot import name 'Modle' from "
    "'hornbeam.keras': Hornbeam has no such name. Did you mean 'Model'?",
    # Attributes.
    "import tensorflow as tf; tf.kears": "AttributeError: Hornbeam has no 'tensorflow.kears'. "
    "Did you mean 'keras'?",
    "import tensorflow as tf; tf.nn.rellu": "AttributeError: Hornbeam has no 'hornbeam.nn.rellu'. "
    "Did you mean 'relu'?",
    # What TensorFlow and Keras have, but not as a public name, or not since TensorFlow 1.
    "from tensorflow.python.keras.layers import Dense": "ModuleNotFoundError: 'tensorflow.python' "
    "is private to TensorFlow, and Hornbeam has no such module. Import from the public names "
    "below 'tensorflow' instead, e.g. 'from tensorflow.keras.layers import Dense'.",
    "import keras.src.layers": "ModuleNotFoundError: 'keras.src' is private to Keras, and "
    "Hornbeam has no such module. Import from the public names below 'keras' instead, e.g. "
    "'from keras.layers import Dense'.",
    "import tensorflow.keras.engine": "ModuleNotFoundError: 'tensorflow.keras.engine' is private "
    "to Keras, and Hornbeam has no such module. Import from the public names below "
    "'tensorflow.keras' instead, e.g. 'from tensorflow.keras.layers import Dense'.",
    "import tensorflow.compat.v1 as tf": f"ModuleNotFoundError: {hook.NO_TENSORFLOW_1}",
    "from tensorflow.compat import v1": f"ImportError: {hook.NO_TENSORFLOW_1}",
    "import tensorflow as tf; tf.compat.v1": f"AttributeError: {hook.NO_TENSORFLOW_1}",
}


@pytest.mark.parametrize("code", MISSING)
def test_missing_name_is_named_with_the_nearest(launch: Launch, code: str) -> None:
    done = launch("-c", code)
    assert (done.returncode, done.stdout) == (1, "")
    # The user's line, then the message: nothing of the hook's or the import system's in between.
    # From Python 3.13 on the text of the line follows its place.
    lines = [line for line in done.stderr.splitlines() if not line.startswith("    ")]
    assert lines == [
        "Traceback (most recent call last):",
        '  File "<string>", line 1, in <module>',
        MISSING[code],
    ]


def test_try_the_next_import_idiom(launch: Launch) -> None:
    code = """\
try:
    from tensorflow.python.keras.layers import Dense
except ImportError:
    from keras.layers import Dense
try:
    from keras.layers import NoSuch
except ImportError:
    NoSuch = None
try:
    import keras.no_such
except ModuleNotFoundError as error:
    assert error.name == "keras.no_such"
"""
    assert launch("-c", code).stderr == ""


def test_compat_v2_is_tensorflow(launch: Launch) -> None:
    code = """\
import tensorflow.compat.v2 as tf
from tensorflow.compat.v2.keras.layers import Dense
import tensorflow
assert tf is tensorflow is tensorflow.compat.v2 and Dense is tf.keras.layers.Dense
"""
    assert launch("-c", code).stderr == ""


def test_error_inside_a_module_is_that_error(launch: Launch, toy_path: object) -> None:
    code = """\
import sys, pathlib, hornbeam.keras
hornbeam.keras.__all__.append("broken")
inside = pathlib.Path(hornbeam.keras.__file__).parent / "broken.py"
inside.write_text("import not_installed_anywhere")
try:
    import tensorflow.keras.broken
except ModuleNotFoundError as error:
    print(error)
finally:
    inside.unlink()
"""
    assert launch("-c", code).stdout == "No module named 'not_installed_anywhere'\n"


# In this process, with the real Hornbeam.


@pytest.fixture
def no_peers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No TensorFlow and no Keras is imported, whatever the other tests did."""
    for name in list(sys.modules):
        if name.partition(".")[0] in hook.ALIASES:
            monkeypatch.delitem(sys.modules, name)
    yield
    hook.uninstall()


@pytest.mark.usefixtures("no_peers")
def test_install_and_uninstall() -> None:
    before = list(sys.meta_path)
    with hook.install():
        import tensorflow as tf

        assert tf.__version__ == VERSION
        assert "tensorflow.keras" in sys.modules or tf.keras
        with hook.install():  # twice is once, and the inner end is not the outer's
            pass
        assert isinstance(sys.meta_path[0], hook.AliasFinder)
    assert sys.meta_path == before
    assert not [name for name in sys.modules if name.startswith("tensorflow")]
    hook.uninstall()  # and nothing to undo is no error


@pytest.mark.usefixtures("no_peers")
@pytest.mark.parametrize("name", ["tensorflow", "keras", "tensorflow.python"])
def test_too_late_after_the_real_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = ModuleType(name)
    real.__file__ = "/somewhere/__init__.py"
    monkeypatch.setitem(sys.modules, name, real)
    before = list(sys.meta_path)
    with pytest.raises(ImportError, match="already, from /somewhere"):
        hook.install()
    assert sys.meta_path == before
