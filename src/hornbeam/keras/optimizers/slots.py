"""The variables that rules keep beside the trainable ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hornbeam.core import scope
from hornbeam.core.variable import Variable
from hornbeam.keras.initializers import Constant
from hornbeam.keras.optimizers.rule import Part, Rule, Slot
from hornbeam.keras.optimizers.state import OptimizerState

ByIndex = dict[int, Variable]


def add_slots(
    optimizer: OptimizerState, variables: Sequence[Variable], parts: Sequence[Part]
) -> dict[str, ByIndex]:
    """Add the slots of all variables, in the order in which Keras saves them; return them by name and place of the variable."""
    rules = {id(each): part.rule for part in parts for each in part.variables}
    groups = [rule.slot_groups if (rule := rules[id(each)]) else [] for each in variables]
    made: dict[str, ByIndex] = {}
    for place in range(max(map(len, groups), default=0)):
        for i, variable in enumerate(variables):
            for slot in groups[i][place] if place < len(groups[i]) else ():
                added = _added(optimizer, slot, variable)
                if added is not None:
                    made.setdefault(slot.name, {})[i] = added
    return made


def _added(optimizer: OptimizerState, slot: Slot, variable: Variable) -> Variable | None:
    if slot.shape is not None:
        shape = slot.shape(tuple(variable.shape))
        name = variable.path.rpartition("/")[2]  # Keras names slots of other shapes so
        if shape is None:
            optimizer.add_placeholder(name)
            return None
        first = Constant(slot.first)
        return optimizer.add_variable(shape, first, dtype=variable.stored_dtype, name=name)

    def own_value(shape: Any, dtype: Any) -> Any:
        with scope.outside():  # inside of a program the value would be part of it
            return variable.read_value()

    first = own_value if slot.first is None else Constant(slot.first)
    return optimizer.add_variable_from_reference(variable, slot.name, first)


def slots_of(
    rule: Rule, made: Mapping[str, Mapping[int, Variable] | Sequence[Variable]], index: int, variable: Variable, owner: str
) -> dict[str, Variable]:  # fmt: skip
    """Return a variable's slots by name. Raises ValueError where the optimizer was built without one that the rule wants."""
    found: dict[str, Variable] = {}
    for slot in rule.slots_of(tuple(variable.shape)):
        if slot.name not in made:
            raise ValueError(
                f"{owner} was built without {slot.name}, and its settings want it now. Make a new optimizer with these "
                "settings and compile the model with it."
            )
        found[slot.name] = made[slot.name][index]
    return found
