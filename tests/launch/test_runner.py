"""A launched script sees what `python SCRIPT` shows it: its globals, its end, its traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launch.conftest import Launch

SHOW = """\
import sys
print(sys.argv, sys.path[0], __name__, __package__, __doc__, __builtins__)
print(globals().get("__file__"), globals().get("__cached__"), getattr(__spec__, "name", None))
print(sorted(globals()), type(__loader__).__name__, sys.modules["__main__"].__dict__ is globals())
"""


def same_as_python(launch: Launch, *args: str, text: str | None = None) -> None:
    ours, pythons = launch(*args, text=text), launch(*args, python=(), text=text)
    assert ours.stdout == pythons.stdout
    assert ours.stderr == pythons.stderr
    assert ours.returncode == pythons.returncode


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder that `launch` runs in, with a script in a folder below."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "show.py").write_text(SHOW)
    return tmp_path


def test_script_sees_what_python_shows(launch: Launch, here: Path) -> None:
    same_as_python(launch, "sub/show.py", "a", "-b", "--", "-m")
    same_as_python(launch, str(here / "sub" / "show.py"))


def test_linked_script_finds_the_modules_beside_the_real_file(launch: Launch, here: Path) -> None:
    (here / "link.py").symlink_to(here / "sub" / "show.py")
    same_as_python(launch, "link.py")


def test_folder_with_main(launch: Launch, here: Path) -> None:
    (here / "sub" / "__main__.py").write_text("import show, sys\nprint(sys.argv)\n")
    lines = launch("sub", "x").stdout.splitlines()
    assert lines[0].startswith(f"['sub', 'x'] {here}/sub show ")
    assert lines[-1] == "['sub', 'x']"


def test_module_sees_what_python_shows(launch: Launch, here: Path) -> None:
    (here / "sub" / "__init__.py").write_text("import sys\nprint(sys.argv, sys.path[0])\n")
    same_as_python(launch, "-m", "sub.show", "a", "-c")
    (here / "sub" / "__main__.py").write_text("from . import show\n" + SHOW)
    same_as_python(launch, "-m", "sub", "a")


def test_code_and_standard_input(launch: Launch) -> None:
    code = "import sys; print(sys.argv, repr(sys.path[0]), __name__, '__file__' in globals())"
    same_as_python(launch, "-c", code, "a", "-b")
    same_as_python(launch, "-c", code + "; 1 / 0")
    same_as_python(launch, "-c", "def f():\n    exec('1 / 0')\nf()\n")
    same_as_python(launch, "-c", "\n    print(1)\n    print(2)\n")
    same_as_python(launch, "-", "a", text=code + "\n1 / 0\n")


FAILURES = {
    "error": "def f():\n    raise ValueError('đỏ')\n\nf()\n",
    "chain": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e\n",
    "import": "import no_such_module\n",
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n",
    "syntax": "x = (\n",
    "indent": "if x:\npass\n",
    "exit_0": "import sys\nsys.exit()\n",
    "exit_3": "import sys\nsys.exit(3)\n",
    "exit_text": "import sys\nsys.exit('hỏng rồi')\n",
    "exit_raise": "raise SystemExit\n",
    "warning": "import warnings\nwarnings.warn('old', DeprecationWarning)\n",
    "hook": "import sys\nsys.excepthook = lambda *a: print('mine', a[0], a[2].tb_lineno)\n1 / 0\n",
    "atexit": "import atexit\natexit.register(print, 'bye')\n1 / 0\n",
    "thread": "import threading\nthreading.Thread(target=lambda: 1 / 0, name='t').start()\n",
    "bom": "\ufeffprint('xin chào')\n",
    "future": "def f(x: no_such): ...\n",
}


@pytest.mark.parametrize("name", FAILURES)
def test_ends_as_in_python(launch: Launch, tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_bytes(FAILURES[name].encode("utf-8", "surrogateescape"))
    same_as_python(launch, f"{name}.py")


def test_source_that_is_not_text(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "coding.py").write_bytes(b"# coding: no-such\n")
    (tmp_path / "bytes.py").write_bytes(b"x = '\x80'\n")
    for name, text in {
        "coding": "unknown encoding: no-such",
        "bytes": "x80",  # the words around it depend on Python's version
    }.items():
        done = launch(f"{name}.py")
        assert done.returncode == 1
        assert done.stderr.startswith(f'  File "{tmp_path}/{name}.py", line')
        assert text in done.stderr.splitlines()[-1]


def test_no_break_spaces_of_a_document(launch: Launch, tmp_path: Path) -> None:
    copied = "if True:\n\u00a0 \u00a0 x = 'a\u00a0b' \u00a0# c\n\u00a0 \u00a0 print(ascii(x))\n"
    (tmp_path / "s.py").write_text(copied, "utf-8")
    done = launch("s.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "'a\\xa0b'\n", "")
    # Where that does not help, the error is the one that Python gives.
    (tmp_path / "s.py").write_text(copied + "x =\n", "utf-8")
    same_as_python(launch, "s.py")


def test_excepthook_that_fails(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("import sys\nsys.excepthook = lambda *a: 1 / 0\n{}[0]\n")
    done = launch("s.py")
    assert done.returncode == 1
    assert done.stderr.startswith("Error in sys.excepthook:\n")
    assert done.stderr.endswith("\n    {}[0]\n    ~~^^^\nKeyError: 0\n")


def test_traceback_begins_at_the_scripts_line(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("def dạy():\n    raise ValueError('đỏ')\n\ndạy()\n", "utf-8")
    done = launch("s.py")
    assert done.returncode == 1
    assert done.stderr.splitlines()[:3] == [
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/s.py", line 4, in <module>',
        "    dạy()",
    ]


def test_the_errors_own_words_are_the_last(launch: Launch, tmp_path: Path) -> None:
    note = "For simplicity, JAX has removed its internal frames from the traceback of ..."
    (tmp_path / "s.py").write_text(
        "error = ValueError('what is wrong')\nerror.add_note('where')\n"
        f"error.add_note({note!r})\nraise error\n"
    )
    assert launch("s.py").stderr.splitlines()[-2:] == ["ValueError: what is wrong", "where"]


def test_failing_module_shows_no_launcher(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("1 / 0\n")
    lines = launch("-m", "m").stderr.splitlines()
    assert lines[1] == f'  File "{tmp_path}/m.py", line 1, in <module>'
    assert lines[-1] == "ZeroDivisionError: division by zero"


WAITING = "import time\nprint('ready', flush=True)\ntime.sleep(60)\n"


def interrupted(toy_path: Path, tmp_path: Path, script: str) -> tuple[int, str, str]:
    """Return how a script ends that gets Ctrl-C when it is ready: its code, output and errors."""
    (tmp_path / "s.py").write_text(script)
    process = subprocess.Popen(
        [sys.executable, "-m", "hornbeam", "s.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(toy_path), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def test_ctrl_c(toy_path: Path, tmp_path: Path) -> None:
    code, _, err = interrupted(toy_path, tmp_path, WAITING)
    assert code == -signal.SIGINT
    assert err.splitlines()[1].startswith(f'  File "{tmp_path}/s.py", line 3')
    assert err.splitlines()[-1] == "KeyboardInterrupt"


def test_ctrl_c_that_is_handled(toy_path: Path, tmp_path: Path) -> None:
    body = WAITING.replace("\n", "\n    ").rstrip()
    script = f"try:\n    {body}\nexcept KeyboardInterrupt:\n    print('caught')\n"
    assert interrupted(toy_path, tmp_path, script) == (0, "caught\n", "")


CHILDREN = """\
import multiprocessing
import pickle
import sys

import tensorflow as tf


class Point:
    x = 1


def work(point):
    from tensorflow.keras.layers import Dense
    return type(point).__name__, point.x, tf.__version__, Dense.__module__, __name__


if __name__ == "__main__":
    assert pickle.loads(pickle.dumps(Point())).x == 1
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        # A child that fails is started again, for ever: one minute is enough for one that works.
        print(pool.apply_async(work, (Point(),)).get(60))
"""


@pytest.mark.parametrize(
    ("how", "main"),
    [("spawn", "__mp_main__"), ("forkserver", "__mp_main__"), ("fork", "__main__")],
)
def test_multiprocessing_children_have_the_hook(
    launch: Launch, tmp_path: Path, how: str, main: str
) -> None:
    (tmp_path / "pool.py").write_text(CHILDREN)
    for args in (("pool.py", how), ("-m", "pool", how)):
        done = launch(*args)
        assert done.stderr == ""
        assert done.stdout == f"('Point', 1, '2.21.0', 'hornbeam.keras.layers', '{main}')\n"


# What there is to say where nothing is run.


def test_missing_script_names_the_path_and_a_near_one(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    done = launch("trian.py")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"hornbeam: can't open '{tmp_path}/trian.py': there is no such file. "
        "Did you mean 'train.py'?\n"
    )
    assert f"no folder '{tmp_path}/x'" in launch("x/train.py").stderr
    (tmp_path / "empty").mkdir()
    assert f"the folder '{tmp_path}/empty': it has no __main__.py" in launch("empty").stderr


def test_missing_module(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    done = launch("-m", "no_such")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hornbeam: no module named 'no_such', looked for in ")
    assert "No module named 'no'" in launch("-m", "no.such").stderr
    assert "no module named 'pack.such'" in launch("-m", "pack.such").stderr
    assert "can't run module '_ssl': it is not written in Python" in launch("-m", "_ssl").stderr
    assert "'pack' is a package without a __main__.py" in launch("-m", "pack").stderr


def test_usage(launch: Launch) -> None:
    done = launch()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("hornbeam: nothing to run\n\nusage: python -m hornbeam SCRIPT")
    assert launch("--help").stdout.startswith("usage: python -m hornbeam SCRIPT")
    assert launch("--version").stdout == "Hornbeam 0.0 (API of TensorFlow 2.21.0, Keras 3.15.1)\n"
    assert "unknown option '--fast'" in launch("--fast").stderr
    assert "-m needs a module" in launch("-m").stderr


def test_command_unless_a_file_has_its_name(launch: Launch, tmp_path: Path) -> None:
    done = launch("demo", "--epochs", "1")
    assert (done.returncode, done.stdout) == (0, "demo ['--epochs', '1']\n")
    assert "Did you mean 'demo'?" in launch("dmeo").stderr
    (tmp_path / "demo").write_text("print('a script')\n")
    assert launch("demo").stdout == "a script\n"
