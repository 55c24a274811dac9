"""Take `return`, `break` and `continue` out of branches and loops, for these are to become functions.

A statement behind `if c: return x` moves into its `else`, so that each way through the function ends by itself. Where
that is not possible (a jump out of a loop, a `with` or a `try`, or a jump on only some ways through an `if`), a flag says
what happened, and the statements behind are run only where no flag is set.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable
from dataclasses import dataclass

from hornbeam.control.autograph.finding import CannotRewrite
from hornbeam.control.autograph.names import own, read

PREFIX = "ag__"
"""What all names begin with that the rewriting adds."""
RETURN = "ag__return"
"""The name that holds what is returned."""
DONE = "ag__done"
"""The flag that says whether something was returned."""
EXTRA_TEST = "ag__extra_test"
"""The attribute of a `for` node with the test that is asked before each turn; it is absent where there is none."""

Jump = ast.Return | ast.Break | ast.Continue
Loop = ast.For | ast.While


@dataclass(frozen=True, slots=True)
class _Flags:
    """Where the jumps of the statements being lowered go: the flags of the innermost loop, and of `return`."""

    broken: str | None = None
    skipped: str | None = None
    returned: str | None = None


def lower(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the body of a function without jumps out of branches and loops.

    Where no branch or loop returns, `return` stays as it is.
    """
    compound = [each for each in own(body) if isinstance(each, (ast.If, ast.For, ast.While))]
    if not any(_is_lowered(each) for each in compound):
        return body
    lowering = _Lowering()
    if not any(isinstance(jump, ast.Return) for each in compound for jump in _jumps(each)):
        return _without_unread(lowering.block(body, _Flags()))
    if not _always_jumps(body):
        body = [*body, ast.copy_location(ast.Return(None), body[-1])]
    lowered = lowering.block(body, _Flags(returned=DONE))
    last = ast.copy_location(ast.Return(_load(RETURN)), body[-1])
    return _without_unread([_assign(DONE, ast.Constant(False), body[0]), *lowered, last])


class _Lowering:
    def __init__(self) -> None:
        self._loops = 0

    def block(self, body: list[ast.stmt], flags: _Flags) -> list[ast.stmt]:
        """Return statements that do what `body` does. What stands behind a jump is never reached and falls away."""
        out: list[ast.stmt] = []
        for i, each in enumerate(body):
            rest = body[i + 1 :]
            if isinstance(each, Jump):
                return [*out, *self._jump(each, flags)]
            if isinstance(each, ast.If) and self._escapes(each, flags):
                return [*out, *self._branches(each, rest, flags)]
            asked = self._flags_set_by(each, flags)
            out += self._statement(each, flags)
            if rest and asked:
                return [*out, *self._unless(asked, self.block(rest, flags), rest[0])]
        return out

    def _jump(self, jump: Jump, flags: _Flags) -> list[ast.stmt]:
        if isinstance(jump, ast.Break):
            return [_assign(_known(flags.broken), ast.Constant(True), jump)]
        if isinstance(jump, ast.Continue):
            return [_assign(_known(flags.skipped), ast.Constant(True), jump)]
        if flags.returned is None:
            return [jump]
        value = jump.value or ast.Constant(None)
        return [
            _assign(RETURN, value, jump),
            _assign(flags.returned, ast.Constant(True), jump),
        ]

    def _branches(self, node: ast.If, rest: list[ast.stmt], flags: _Flags) -> list[ast.stmt]:
        body, orelse = node.body, node.orelse
        asked: list[str] = []
        if _always_jumps(body):
            orelse, rest = [*orelse, *rest], []
        elif _always_jumps(orelse):
            body, rest = [*body, *rest], []
        else:
            asked = self._flags_set_by(node, flags)
        # A branch may end up empty: a jump whose flag nobody has to set.
        made = ast.If(node.test, self.block(body, flags) or [ast.Pass()], self.block(orelse, flags))
        out: list[ast.stmt] = [ast.copy_location(made, node)]
        if rest:
            out += self._unless(asked, self.block(rest, flags), rest[0])
        return out

    def _statement(self, node: ast.stmt, flags: _Flags) -> list[ast.stmt]:
        """Return a statement other than a jump with what is inside of it lowered."""
        if isinstance(node, Loop):
            return self._loop(node, flags)
        if isinstance(node, ast.If):
            made = ast.If(node.test, self.block(node.body, flags), self.block(node.orelse, flags))
            return [ast.copy_location(made, node)]
        if isinstance(node, ast.With):
            made = ast.With(node.items, self.block(node.body, flags))
            return [ast.copy_location(made, node)]
        if isinstance(node, (ast.Try, ast.TryStar)):
            return [self._try(node, flags)]
        if isinstance(node, ast.Match):
            cases = [
                ast.match_case(c.pattern, c.guard, self.block(c.body, flags)) for c in node.cases
            ]
            return [ast.copy_location(ast.Match(node.subject, cases), node)]
        return [node]

    def _try(self, node: ast.Try | ast.TryStar, flags: _Flags) -> ast.stmt:
        if any(self._escapes(each, flags) for each in node.finalbody):
            raise CannotRewrite(f"line {node.lineno}: a jump in `finally`")
        orelse = self.block(node.orelse, flags)
        asked = [flag for each in node.body for flag in self._flags_set_by(each, flags)]
        if orelse and asked:  # Python leaves out the `else` of a `try` that was left by a jump
            orelse = self._unless(asked, orelse, node.orelse[0])
        handlers = [
            ast.copy_location(ast.ExceptHandler(h.type, h.name, self.block(h.body, flags)), h)
            for h in node.handlers
        ]
        made = type(node)(
            self.block(node.body, flags), handlers, orelse, self.block(node.finalbody, flags)
        )
        return ast.copy_location(made, node)

    def _loop(self, node: Loop, flags: _Flags) -> list[ast.stmt]:
        self._loops += 1
        inner = _Flags(f"ag__broken{self._loops}", f"ag__skipped{self._loops}", flags.returned)
        body = self.block(node.body, inner)
        leaving = self._flags_leaving(node, inner)
        out: list[ast.stmt] = []
        if inner.broken in leaving:
            out.append(_assign(_known(inner.broken), ast.Constant(False), node))
        if any(isinstance(jump, ast.Continue) for jump in _jumps_of(node.body)):
            body = [_assign(_known(inner.skipped), ast.Constant(False), node), *body]
        made = copy.copy(node)
        made.body, made.orelse = body, []
        if leaving and isinstance(made, ast.While):
            goes_on = _none_of(leaving, node)
            if not _is_true(made.test):
                goes_on = _and(goes_on, made.test)
            made.test = ast.copy_location(goes_on, made.test)
        elif leaving:
            setattr(made, EXTRA_TEST, _none_of(leaving, node))
        out.append(made)
        orelse = self.block(node.orelse, flags)
        return [*out, *(self._unless(leaving, orelse, node.orelse[0]) if orelse else [])]

    def _flags_leaving(self, loop: Loop, inner: _Flags) -> list[str]:
        """Return the flags that end the loop, `inner` being those that its body sets."""
        jumps = _jumps_of(loop.body)
        leaving = [inner.broken] if any(isinstance(each, ast.Break) for each in jumps) else []
        if inner.returned and any(isinstance(each, ast.Return) for each in jumps):
            leaving.append(inner.returned)
        return [_known(flag) for flag in leaving]

    def _flags_set_by(self, node: ast.stmt, flags: _Flags) -> list[str]:
        """Return the flags, of those that exist here, that `node` may set: what follows it depends on them."""
        kinds = {type(each) for each in _jumps(node)}
        pairs = [
            (ast.Break, flags.broken),
            (ast.Continue, flags.skipped),
            (ast.Return, flags.returned),
        ]
        return [flag for kind, flag in pairs if kind in kinds and flag is not None]

    def _escapes(self, node: ast.stmt, flags: _Flags) -> bool:
        return bool(self._flags_set_by(node, flags))

    def _unless(self, flags: list[str], body: list[ast.stmt], place: ast.stmt) -> list[ast.stmt]:
        if not flags:
            return body
        return [ast.copy_location(ast.If(_none_of(flags, place), body, []), place)]


def _jumps(node: ast.stmt) -> list[Jump]:
    """Return the jumps in `node` that leave it: `break` and `continue` of loops inside of it do not."""
    if isinstance(node, Jump):
        return [node]
    if isinstance(node, Loop):
        inside = [
            jump for each in node.body for jump in _jumps(each) if isinstance(jump, ast.Return)
        ]
        return [*inside, *(jump for each in node.orelse for jump in _jumps(each))]
    return [jump for each in _statements(node) for jump in _jumps(each)]


def _is_lowered(node: ast.If | Loop) -> bool:
    """Return whether a branch or loop has something that a function can't do: a jump, or the `else` of a loop."""
    if isinstance(node, ast.If):
        return bool(_jumps(node))
    return bool(node.orelse or _jumps_of(node.body))


def _jumps_of(body: list[ast.stmt]) -> list[Jump]:
    return [jump for each in body for jump in _jumps(each)]


def _statements(node: ast.AST) -> Iterable[ast.stmt]:
    """Yield the statements directly inside of a compound statement that belongs to the same function."""
    if isinstance(
        node, (ast.If, ast.With, ast.Try, ast.TryStar, ast.match_case, ast.ExceptHandler)
    ):
        for field in ("body", "orelse", "finalbody"):
            yield from getattr(node, field, [])
    for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
        yield from _statements(part)


def _always_jumps(body: list[ast.stmt]) -> bool:
    """Return whether no way through the statements reaches their end."""
    return any(
        isinstance(each, (*Jump.__args__, ast.Raise))
        or (isinstance(each, ast.If) and _always_jumps(each.body) and _always_jumps(each.orelse))
        or _has_no_end(each)
        for each in body
    )


def _has_no_end(node: ast.stmt) -> bool:
    """Return whether a statement is a `while True` that only a `return` or an error leaves."""
    if not isinstance(node, ast.While) or not _is_true(node.test):
        return False
    return not any(isinstance(each, ast.Break) for each in _jumps_of(node.body))


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)


def _without_unread(body: list[ast.stmt]) -> list[ast.stmt]:
    """Leave out the assignments of flags that nobody asks."""
    tests = [getattr(each, EXTRA_TEST, ast.Pass()) for each in own(body)]
    asked = read([*body, *tests])
    return [ast.fix_missing_locations(_Unread(asked).visit(each)) for each in body]


class _Unread(ast.NodeTransformer):
    def __init__(self, asked: set[str]) -> None:
        self._asked = asked

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        if not isinstance(target, ast.Name) or not target.id.startswith(PREFIX):
            return node
        kept = target.id == RETURN or target.id in self._asked
        return node if kept else ast.copy_location(ast.Pass(), node)


def _known(name: str | None) -> str:
    if name is None:
        raise CannotRewrite("a jump outside of a loop")
    return name


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr, place: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), place)


def _none_of(flags: list[str], place: ast.stmt) -> ast.expr:
    asked = list(dict.fromkeys(flags))
    any_of = _load(asked[0]) if len(asked) == 1 else ast.BoolOp(ast.Or(), [_load(f) for f in asked])
    return ast.fix_missing_locations(ast.copy_location(ast.UnaryOp(ast.Not(), any_of), place))


def _and(first: ast.expr, second: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.And(), [first, second])
