"""Rewritten functions do on Python values what Python does: values, errors, tracebacks, side effects and their order."""

from __future__ import annotations

import linecache
import subprocess
import sys
import traceback
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from hornbeam.control.autograph import source
from hornbeam.control.autograph.finding import CannotRewrite
from hornbeam.control.autograph.operators import Operators
from tests.control.autograph import cases
from tests.control.autograph.python_only import differences

AG = Operators()


def run_cell(text: str, name: str = "<cell>", **variables: object) -> dict[str, Any]:
    """Run a text as a notebook does: its lines are known to `linecache` alone."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    variables = {"__name__": "__main__", **variables}
    exec(compile(text, name, "exec"), variables)
    return variables


def test_the_table_is_run_as_python_runs_it() -> None:
    assert list(differences(cases, AG)) == []


def test_rewriting_needs_the_standard_library_alone() -> None:
    script = Path(__file__).with_name("python_only.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_conversion_is_kept_for_all_functions_of_one_definition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def make(limit: int) -> FunctionType:
        def clip(x: int, low: int = -limit) -> int:
            return limit if x > limit else low if x < low else x

        return clip

    small, large = source.convert(make(1), AG), source.convert(make(9), AG)
    assert small.__code__ is large.__code__
    assert [small(5), small(-5), large(5), large(-50)] == [1, -1, 5, -9]


def test_a_converted_function_shares_cells_globals_and_defaults() -> None:
    made = run_cell(
        "def outer():\n"
        "    count = 0\n"
        "    def count_up(by=[1], *, twice=False):\n"
        "        'Count.'\n"
        "        nonlocal count\n"
        "        if twice:\n"
        "            count += by[0] * FACTOR\n"
        "        else:\n"
        "            count += by[0]\n"
        "        return count\n"
        "    return count_up\n",
        FACTOR=2,
    )
    original = made["outer"]()
    converted = source.convert(original, AG)
    assert [converted(), original(), converted(twice=True), original()] == [1, 2, 4, 5]
    original.__defaults__[0][0] = 10
    made["FACTOR"] = 3
    assert converted(twice=True) == 35
    for name in (
        "__name__",
        "__qualname__",
        "__module__",
        "__doc__",
        "__defaults__",
        "__kwdefaults__",
    ):
        assert getattr(converted, name) == getattr(original, name)


def test_a_cell_of_a_notebook_that_is_run_again_is_read_again() -> None:
    first = run_cell("def f(x):\n    return 1 if x else 2\n")["f"]
    assert source.convert(first, AG)(True) == 1
    second = run_cell("def f(x):\n    return 3 if x else 4\n")["f"]
    assert source.convert(second, AG)(True) == 3


def test_lambdas_on_one_line_are_told_apart() -> None:
    pair = (lambda x: 1 if x else 2), (lambda x: 3 if x else 4)  # fmt: skip
    assert [source.convert(fn, AG)(value) for fn in pair for value in (0, 1)] == [2, 1, 4, 3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f(x):\n    yield x\n", "line 1|generators and coroutines"),
        ("async def f(x):\n    return x\n", "generators and coroutines"),
        ("def f(x):\n    if x:\n        return eval('x')\n", "line 3: `eval` looks into the frame"),
        ("def f(x):\n    ag__x = x\n    return ag__x\n", "line 2: the name 'ag__x'"),
        (
            "def f(x):\n    for _ in x:\n        try:\n            pass\n        finally:\n            break\n",
            "finally",
        ),
    ],
)
def test_what_has_to_run_as_it_is_says_why(text: str, reason: str) -> None:
    fn = run_cell(text)["f"]
    with pytest.raises(CannotRewrite, match=reason):
        source.convert(fn, AG)
    assert AG.call(fn) is fn


def test_functions_without_source_run_as_they_are() -> None:
    variables: dict[str, Any] = {}
    exec("def f(x):\n    return 1 if x else 2\n", variables)
    assert AG.call(variables["f"]) is variables["f"]


def test_functions_of_libraries_run_as_they_are() -> None:
    for fn in (linecache.getlines, Path("x").exists, len, dict, pytest.fixture, source.convert):
        assert AG.call(fn) is fn


def test_a_traceback_has_the_users_lines_alone() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        AG.run(cases.errors_in_loops, 0)
    frames = traceback.extract_tb(caught.value.__traceback__)[1:]
    assert [(each.filename, each.name, each.line) for each in frames] == [
        (cases.__file__, "errors_in_loops", "x = 1 / (i - n)")
    ]


def test_the_rewritten_source_can_be_read() -> None:
    text = source.to_source(cases.undefined_in_one_branch)  # type: ignore[arg-type]
    assert "ag__.if_(x, ag__if_1, None, ('y',), ('y',), ())" in text
