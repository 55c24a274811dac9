"""The import hook: Hornbeam under the names `tensorflow` and `keras`, in this process only.

    from hornbeam.launch import hook

    hook.install()                          # or, for a while:  with hook.install(): ...
    from tensorflow.keras import layers     # the module hornbeam.keras.layers itself, not a copy

`python -m hornbeam SCRIPT` does the same before it runs the script. A TensorFlow or Keras that is
installed is neither imported nor changed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType

from hornbeam.core.errors import did_you_mean
from hornbeam.core.faces import public_names
from hornbeam.launch.modules import NO_TENSORFLOW_1, Compat, Forward
from hornbeam.version import VERSION


@dataclass(frozen=True)
class Alias:
    """A top name that is served: the package behind it, and whose name it is.

    `version` is for a name whose package has a version of its own to show to others. `private` are
    the modules right below that the real library has but keeps to itself.
    """

    target: str
    package: str
    version: str | None = None
    private: frozenset[str] = frozenset()


ALIASES = {
    "tensorflow": Alias(
        "hornbeam",
        "TensorFlow",
        version=VERSION,
        private=frozenset({"python", "core", "compiler", "tools", "_api"}),
    ),
    "keras": Alias(
        "hornbeam.keras",
        "Keras",
        private=frozenset({"src", "_tf_keras", "engine", "api"}),
    ),
}


class AliasFinder(MetaPathFinder):
    """Finds every module at or below the aliased names, or says why there is none.

    It never answers "not mine" for those names: the next finder would take the module from a
    TensorFlow that happens to be installed, and half of one library would run inside the other.
    """

    def __init__(self, aliases: dict[str, Alias]) -> None:
        self.aliases = aliases

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of an aliased module; None for all names that are not ours to answer for."""
        root, _, below = fullname.partition(".")
        if root not in self.aliases:
            return None
        module = self._child(fullname) if below else self._top(root)
        origin = getattr(module, "__file__", None)
        spec = ModuleSpec(fullname, AliasLoader(module), origin=origin)
        spec.submodule_search_locations = getattr(module, "__path__", None)
        return spec

    def _top(self, root: str) -> ModuleType:
        alias = self.aliases[root]
        target = importlib.import_module(alias.target)
        if alias.version is None:
            return target
        top = Forward(root, target, alias.version)
        if not hasattr(top, "compat"):
            vars(top)["compat"] = Compat(top)
        return top

    def _child(self, fullname: str) -> ModuleType:
        """The module at this place: what its parent calls so, or a submodule not imported yet."""
        parent_name, _, leaf = fullname.rpartition(".")
        parent = importlib.import_module(parent_name)
        target = parent._target if isinstance(parent, Forward) else parent
        self._refuse_private(fullname, target.__name__, leaf)
        named = getattr(parent, leaf, None)
        if isinstance(named, Forward | Compat):
            return named
        # What a face does not declare is a room of Hornbeam's own, of which TensorFlow has no like.
        if leaf in getattr(target, "__all__", [leaf]) and not isinstance(target, Compat):
            if isinstance(named, ModuleType) and self._is_ours(named):
                return named
            real = f"{target.__name__}.{leaf}"
            try:
                return importlib.import_module(real)
            except ModuleNotFoundError as error:
                if error.name != real:
                    raise  # the module is there, but something that it needs is not
        raise self._no_module(fullname, target, leaf)

    def _refuse_private(self, fullname: str, parent: str, leaf: str) -> None:
        for root, alias in self.aliases.items():
            if parent == alias.target and leaf in alias.private:
                public = fullname.removesuffix(f".{leaf}")
                layers = "layers" if root == "keras" else "keras.layers"
                raise ModuleNotFoundError(
                    f"'{fullname}' is private to {alias.package}, and Hornbeam has no such module. "
                    f"Import from the public names below '{public}' instead, "
                    f"e.g. 'from {public}.{layers} import Dense'.",
                    name=fullname,
                )

    def _no_module(self, fullname: str, parent: ModuleType, leaf: str) -> ModuleNotFoundError:
        public = public_names(parent)
        if isinstance(parent, Compat) and leaf == "v1":
            text = NO_TENSORFLOW_1
        elif leaf in public:
            above = fullname.rpartition(".")[0]
            text = f"'{fullname}' is not a module. Write: from {above} import {leaf}"
        else:
            modules = [n for n in public if isinstance(getattr(parent, n, None), ModuleType)]
            text = f"Hornbeam has no module '{fullname}'.{did_you_mean(leaf, modules)}"
        return ModuleNotFoundError(text, name=fullname)

    def _is_ours(self, module: ModuleType) -> bool:
        root = module.__name__.partition(".")[0]
        houses = {alias.target.partition(".")[0] for alias in self.aliases.values()}
        return root in houses


class AliasLoader(Loader):
    """Puts a module that exists already under a second name."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = getattr(module, "__spec__", None)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module that exists already."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Put back the module's own spec, over which the import system has just written another."""
        if self._spec is not None:
            module.__spec__ = self._spec


class Installed:
    """What `install` returns: at the end of a `with` block the names are free again."""

    def __init__(self, owner: bool) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._owner:
            uninstall()


def install() -> Installed:
    """Serve Hornbeam as `tensorflow` and `keras` from now on; doing it twice changes nothing.

    Raises ImportError where the real TensorFlow or Keras has been imported in this process: code
    that holds its classes and code that is served ours would not understand each other.
    """
    if _finder() is not None:
        return Installed(owner=False)
    for root in ALIASES:
        _refuse_loaded(root)
    sys.meta_path.insert(0, AliasFinder(ALIASES))
    return Installed(owner=True)


def uninstall() -> None:
    """Serve no more, and forget the modules that were imported under the aliased names."""
    finder = _finder()
    if finder is None:
        return
    sys.meta_path.remove(finder)
    for name in [each for each in sys.modules if each.partition(".")[0] in finder.aliases]:
        del sys.modules[name]


def _finder() -> AliasFinder | None:
    return next((each for each in sys.meta_path if isinstance(each, AliasFinder)), None)


def _refuse_loaded(root: str) -> None:
    loaded = sys.modules.get(root)
    if loaded is None:
        loaded = next((m for n, m in sys.modules.items() if n.startswith(f"{root}.")), None)
    if loaded is None:
        return
    where = getattr(loaded, "__file__", None) or "an unknown place"
    raise ImportError(
        f"'{root}' is imported in this process already, from {where}: Hornbeam can no longer be "
        "served under that name. Call hornbeam.launch.hook.install() before anything imports it, "
        "or run the script with 'python -m hornbeam SCRIPT'.",
        name=root,
    )
