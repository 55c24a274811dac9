"""Edits of plans: keys, what is compiled when, bounds."""

from __future__ import annotations

from tests.mutants.edit import Edit, edit

_KEYS, _PLANS, _KEPT, _OP = "core/plan_keys.py", "core/plans.py", "core/kept.py", "core/op.py"
_TEST = "core/test_plans.py"
_DIFFERENT = f"{_TEST}::test_different_arguments_have_different_plans"

EDITS: list[Edit] = [
    edit(
        _KEYS,
        "key += (of, value)\n        elif kind is _FLOAT",
        "key.append(value)\n        elif kind is _FLOAT",
        _DIFFERENT,
    ),
    edit(
        _KEYS,
        "value if value and value == value else repr(value)",
        "value",
        f"{_TEST}::test_zeros_keep_their_sign",
    ),
    edit(_KEYS, "key += (of, len(value))", "key.append(of)", _DIFFERENT),
    edit(
        _PLANS,
        "[op, config.state()]",
        "[op, 0]",
        f"{_TEST}::test_each_setting_has_its_own_plans",
    ),
    edit(
        "core/config.py",
        "return _states[native_off.get()]",
        "return _states[False]",
        f"{_TEST}::test_native_kernels_that_are_switched_off_have_their_own_plans",
    ),
    edit(
        _PLANS,
        "if state.unknown or state.updates or state.made:",
        "if state.updates:",
        f"{_TEST}::test_variables_read_inside_of_a_body_do_not_become_constants",
    ),
    edit(
        _PLANS,
        "if are_probabilities(values):",
        "if False:",
        f"{_TEST}::test_losses_find_the_logits_of_probabilities",
    ),
    edit(
        _PLANS,
        "return self.varying if self.members > MANY_VALUES else set()",
        "return set()",
        f"{_TEST}::test_a_number_with_many_values_becomes_an_argument",
    ),
    edit(
        _PLANS,
        "and op.name not in _NEED_INTEGERS",
        "",
        f"{_TEST}::test_numbers_become_arguments_with_the_same_values",
    ),
    edit(
        _PLANS,
        "self.run, self.asked = None, NEVER",
        "self.asked = NEVER",
        f"{_TEST}::test_a_body_that_cannot_be_traced_is_tried_once",
    ),
    edit(
        _KEPT,
        "if len(self._newer) >= self._most:",
        "if False:",
        f"{_TEST}::test_kept_things_are_bounded_and_the_least_used_go_first",
    ),
    edit(
        _OP,
        "made.planned and not scope.is_open() and not is_watched()",
        "made.planned and not is_watched()",
        f"{_TEST}::test_constants_inside_of_a_program_call_the_body_itself",
    ),
]
