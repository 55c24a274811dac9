"""Which names may still be read, at the end of each branch and loop.

A staged `if` keeps the names that are read later and a staged loop carries those and the ones that its next turn reads;
everything else is scratch, and may differ in kind from branch to branch. The analysis goes backwards over a body whose
jumps are lowered, and errs towards "may be read".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hornbeam.control.autograph.jumps import EXTRA_TEST
from hornbeam.control.autograph.names import bound, own, read

LIVE = "ag__live"
"""The attribute of a branch or loop node with the names that have to outlive it, or its turns."""
READ = "ag__read"
"""The attribute of a loop node with the names that a turn reads before it assigns them."""
AFTER = "ag__after"
"""The attribute of a loop node with the names that are read behind it; what it goes over is not among them."""


def annotate(body: list[ast.stmt], always: Iterable[str]) -> None:
    """Set `LIVE` on each `if` and loop of a function's body; `always` are names that others may read at any time."""
    _Liveness(frozenset(always)).block(body, frozenset())


class _Liveness:
    def __init__(self, always: frozenset[str]) -> None:
        self._always = always

    def block(self, body: list[ast.stmt], live: frozenset[str]) -> frozenset[str]:
        """Return what is live before the statements, `live` being what is live behind them."""
        for each in reversed(body):
            live = self._statement(each, live)
        return live

    def _statement(self, node: ast.stmt, live: frozenset[str]) -> frozenset[str]:
        if isinstance(node, ast.If):
            setattr(node, LIVE, live | self._always)
            before = self.block(node.body, live) | self.block(node.orelse, live)
            return before | read([node.test])
        if isinstance(node, (ast.For, ast.While)):
            return self._loop(node, live)
        if isinstance(node, ast.With):
            return live | self.block(node.body, live) | read(node.items)
        if isinstance(node, (ast.Try, ast.TryStar)):
            return self._try(node, live)
        if isinstance(node, ast.Match):
            for case in node.cases:
                live = live | self.block(case.body, live) | read([case.pattern, *_some(case.guard)])
            return live | read([node.subject])
        if isinstance(node, (ast.Return, ast.Raise)):
            return frozenset(read([node]))
        if isinstance(node, ast.AugAssign):
            return live | read([node]) | bound([node]).keys()
        return (live - _overwritten(node)) | read([node])

    def _loop(self, node: ast.For | ast.While, live: frozenset[str]) -> frozenset[str]:
        tests = (
            [node.test] if isinstance(node, ast.While) else _some(getattr(node, EXTRA_TEST, None))
        )
        start = self.block(node.body, frozenset(read(tests)))
        setattr(node, AFTER, live - _targets(node))
        setattr(node, READ, start - _targets(node) | read(tests) | self._always)
        head, known = live | read(tests), frozenset[str]()
        while head != known:
            known = head
            start = self.block(node.body, head)
            head = head | (
                start - bound([node.target]).keys() if isinstance(node, ast.For) else start
            )
        setattr(node, LIVE, head | self._always)
        return head | read([node.iter, node.target]) if isinstance(node, ast.For) else head

    def _try(self, node: ast.Try | ast.TryStar, live: frozenset[str]) -> frozenset[str]:
        """An exception may leave the body anywhere, so what the handlers read is live all over it."""
        after = live | self.block(node.finalbody, live)
        for handler in node.handlers:
            after |= self.block(handler.body, after) | read(_some(handler.type))
        after |= self.block(node.orelse, after)
        return _Liveness(self._always | after).block(node.body, after) | after


def _targets(node: ast.For | ast.While) -> set[str]:
    return set(bound([node.target])) if isinstance(node, ast.For) else set()


def _overwritten(node: ast.stmt) -> set[str]:
    """Return the plain names that a statement certainly binds anew."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return set(bound([node])) if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else set()
    return {n.id for n in own(targets) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _some(node: ast.AST | None) -> list[ast.AST]:
    return [] if node is None else [node]
