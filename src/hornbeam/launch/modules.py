"""The few modules that the import hook makes; all others are Hornbeam's, under a second name."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from hornbeam.core.faces import in_from_import, missing_name, public_names

NO_TENSORFLOW_1 = (
    "Hornbeam has no 'tensorflow.compat.v1': the graphs and sessions of TensorFlow 1 have no "
    "counterpart here. Use the names of TensorFlow 2, below 'tensorflow'."
)


class Forward(ModuleType):
    """A module with a name and a version of its own, whose every other name is the target's.

    Only `tensorflow` needs one: scripts compare `tf.__version__` with TensorFlow's releases, while
    `hornbeam.__version__` is Hornbeam's own. All below is the target's module itself, not a copy.
    """

    def __init__(self, name: str, target: ModuleType, version: str) -> None:
        super().__init__(name, target.__doc__)
        self.__version__ = version
        # A package, so that `import tensorflow.keras` asks the finder.
        self.__path__: list[str] = []
        self.__file__ = getattr(target, "__file__", None)
        self._target = target

    def __getattr__(self, name: str) -> object:
        if name == "__all__":  # `from tensorflow import *`
            return public_names(self._target)
        try:
            return getattr(self._target, name)
        except AttributeError:
            asker = sys._getframe(1)
        raise missing_name(self.__name__, name, public_names(self._target), asker)

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *dir(self._target)} - {"_target"})


class Compat(ModuleType):
    """`tensorflow.compat`, of which only `v2` exists: it is `tensorflow` itself."""

    def __init__(self, top: Forward) -> None:
        super().__init__(f"{top.__name__}.compat")
        self.__path__: list[str] = []
        self.v2 = top

    def __getattr__(self, name: str) -> object:
        asker = sys._getframe(1)
        if name == "v1":
            kind = ImportError if in_from_import(asker) else AttributeError
            raise kind(NO_TENSORFLOW_1, name=name)
        raise missing_name(self.__name__, name, ["v2"], asker)
