"""How the copies of a variable on several devices are kept equal; there is one copy here."""

from __future__ import annotations

import enum
from typing import TypeVar

Kind = TypeVar("Kind", bound=enum.Enum)


class VariableSynchronization(enum.Enum):
    """When copies of a variable are brought together.

    >>> import hornbeam as tf
    >>> tf.VariableSynchronization.ON_READ.value
    3
    """

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How copies of a variable are brought together.

    >>> import hornbeam as tf
    >>> tf.VariableAggregation.MEAN.value
    2
    """

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3

    def __repr__(self) -> str:
        # TensorFlow has two such classes. What a variable has by default is of the older one.
        version = "V2" if self.value else ""
        return f"<VariableAggregation{version}.{self.name}: {self.value}>"


def kind_of(value: object, kinds: type[Kind], default: Kind, what: str) -> Kind:
    """Return the member that `value` is, or names in lower case as Keras does; `default` for None.

    Raises ValueError for anything else.
    """
    if value is None:
        return default
    for kind in kinds:
        if value is kind or value == kind.name.lower():
            return kind
    names = ", ".join(f"tf.{kinds.__name__}.{kind.name}" for kind in kinds)
    raise ValueError(f"Invalid variable {what}: {value!r}. Expected one of {names}.")
