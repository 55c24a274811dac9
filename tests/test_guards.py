"""No assertion may hang on an `if`: where that is false, the test passes and has checked nothing.

Split the parameters into two tests instead, take what is expected from a table, or choose the value to compare with.
Nor may a test be marked where no run looks for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Functions in which an `if` may decide what is checked, and why.
ALLOWED: dict[str, str] = {}


def guarded(source: str) -> Iterator[tuple[str, int]]:
    """Yield the function and line of each `if` that decides whether something is checked at all."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for block in blocks(function):
                for i, statement in enumerate(block):
                    if isinstance(statement, ast.If) and decides(statement, block[i + 1 :]):
                        yield function.name, statement.lineno


def decides(statement: ast.If, after: list[ast.stmt]) -> bool:
    """Return whether one way through an `if` meets an assertion that the other does not."""
    for branch, other in (
        (statement.body, statement.orelse),
        (statement.orelse, statement.body),
    ):
        elsewhere = checks(other) or (leaves(branch) and checks(after))
        if checks(branch) and not elsewhere:
            return True
        if leaves(branch) and not checks(branch) and checks(after):
            return True
    return False


def checks(statements: list[ast.stmt]) -> bool:
    """Return whether one of the statements asserts something."""
    return any(is_check(node) for each in statements for node in ast.walk(each))


def is_check(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", "")).lstrip("_")
        return name.startswith("assert_") or name in ("raises", "warns")
    return isinstance(node, ast.Assert)


def leaves(statements: list[ast.stmt]) -> bool:
    """Return whether the statements end in `return` or `continue`."""
    return bool(statements) and isinstance(statements[-1], (ast.Return, ast.Continue))


def blocks(function: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    """Yield each list of statements in a function, without those of functions and classes in it."""
    waiting: list[ast.AST] = [function]
    while waiting:
        node = waiting.pop()
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, [])
            yield block
            waiting += [
                each for each in block if not isinstance(each, (ast.FunctionDef, ast.ClassDef))
            ]
        waiting += getattr(node, "handlers", [])


@pytest.mark.parametrize(
    "body",
    [
        "if a:\n  assert b",
        "if a:\n  b()\nelse:\n  assert b",
        "if a:\n  return\nassert b",
        "for a in b:\n  if a:\n    continue\n  assert b",
        "with a:\n  if b:\n    np.testing.assert_allclose(c, d)",
        "try:\n  a()\nexcept E:\n  if b:\n    assert c",
        "if a:\n  with pytest.raises(E):\n    b()\n  return\nc()",
    ],
)
def test_what_is_refused(body: str) -> None:
    assert [name for name, _ in guarded(function(body))] == ["test"]


@pytest.mark.parametrize(
    "body",
    [
        "assert a if b else c",
        "if a:\n  assert b\nelse:\n  assert c",
        "if a:\n  assert b\n  return\nassert c",
        "if a:\n  b()\nassert c",
        "if a:\n  return\nb()",
    ],
)
def test_what_is_allowed(body: str) -> None:
    assert not list(guarded(function(body)))


def function(body: str) -> str:
    return "def test():\n" + "".join(f"  {line}\n" for line in body.splitlines())


def test_no_assertion_hangs_on_an_if() -> None:
    found = {
        f"{path.relative_to(TESTS).as_posix()}:{name}": line
        for path in TESTS.rglob("*.py")
        for name, line in guarded(path.read_text())
    }
    assert found.keys() == ALLOWED.keys(), f"These decide whether anything is checked: {found}."


def test_slow_tests_are_marked_in_their_own_files() -> None:
    """`make test-slow` reads only the files of tests that have the mark."""
    mark = "mark." + "slow"
    elsewhere = {
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if mark in path.read_text() and not path.name.startswith("test_")
    }
    assert not elsewhere, f"Mark the tests in these as slow where they are tested: {elsewhere}."
