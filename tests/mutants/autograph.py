"""Edits of `control/autograph`: what rewritten functions do, on Python values and on tensors."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_ROOM = "control/autograph"
_SOURCE, _TENSORS = f"{_ROOM}/test_source.py", f"{_ROOM}/test_tensors.py"
_TABLE = f"{_SOURCE}::test_the_table_is_run_as_python_runs_it"

EDITS: list[Edit] = [
    edit(
        f"{_ROOM}/jumps.py",
        "if orelse and asked:",
        "if False:",
        _TABLE,
    ),
    edit(
        f"{_ROOM}/jumps.py",
        "return bool(node.orelse or _jumps_of(node.body))",
        "return bool(_jumps_of(node.body))",
        _TABLE,
    ),
    edit(
        f"{_ROOM}/finding.py",
        "if _holds(each[0], code)",
        "if True",
        f"{_SOURCE}::test_lambdas_on_one_line_are_told_apart",
    ),
    edit(
        f"{_ROOM}/source.py",
        "if own_name is not None and own_name not in code.co_freevars:",
        "if False:",
        _TABLE,
    ),
    edit(
        f"{_ROOM}/branches.py",
        "places.restore(before)",
        "pass",
        f"{_TENSORS}::test_a_compiled_function_does_what_tensorflow_does",
    ),
    edit(
        f"{_ROOM}/turns.py",
        "if dtype != slot.dtype:",
        "if False:",
        f"{_TENSORS}::test_what_tensorflow_refuses_is_done_as_python_does_it",
    ),
    edit(
        "control/parts.py",
        "made = block.inner(kept(fn), arrays, [v for v, _ in known])",
        "made = block.inner(kept(fn), arrays, [])",
        f"{_TENSORS}::test_assigned_variables_go_through_branches_and_loops",
    ),
    edit(
        f"{_ROOM}/loops.py",
        "    if not turn.late:",
        "    if True:",
        f"{_ROOM}/test_no_turns.py::test_a_name_that_only_turns_define_needs_one",
    ),
    edit(
        f"{_ROOM}/liveness.py",
        "setattr(node, AFTER, live - _targets(node))",
        "setattr(node, AFTER, live | self._always)",
        f"{_ROOM}/test_no_turns.py::test_what_nobody_reads_may_be_undefined",
    ),
    edit(
        f"{_ROOM}/places.py",
        "if _elements(value) != before:",
        "if False:",
        f"{_ROOM}/test_refused.py::test_lists_that_branches_and_turns_change_in_place",
    ),
    edit(
        f"{_ROOM}/rewriting.py",
        "if not isinstance(node.body[-1], ast.Raise):",
        "if False:",
        f"{_ROOM}/test_refused.py::test_errors_of_branches_that_are_caught",
    ),
]
