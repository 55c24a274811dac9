"""What restoring a checkpoint returns: methods that say whether all values and all objects have met."""

from __future__ import annotations

from collections.abc import Callable

from hornbeam.train.graph import graph_of
from hornbeam.train.restoring import Restoration
from hornbeam.train.trackable import variable_of

_LISTED = 10


class LoadStatus:
    """The state of a restoration: each method looks again for objects that came since, and returns the status.

    Nothing has to be called: what exists has its values, and what is made later gets its own then. What never finds a
    variable is named by a warning, unless `expect_partial` was called.
    """

    def assert_consumed(self) -> LoadStatus:
        """Raise AssertionError unless every value of the checkpoint and every variable have met."""
        raise NotImplementedError

    def assert_existing_objects_matched(self) -> LoadStatus:
        """Raise AssertionError unless every variable that exists has a value; the checkpoint may hold more."""
        raise NotImplementedError

    def assert_nontrivial_match(self) -> LoadStatus:
        """Raise AssertionError if nothing but the root was found."""
        raise NotImplementedError

    def expect_partial(self) -> LoadStatus:
        """Say that the checkpoint may hold more than is wanted.

        Otherwise a warning names what was not restored when the objects that could hold it are gone.
        """
        return self

    def initialize_or_restore(self, session: object = None) -> None:
        """Do nothing: the values are there. TensorFlow's graphs needed it."""

    def run_restore_ops(self, session: object = None) -> None:
        """Do nothing: the values are there. TensorFlow's graphs needed it."""


class CheckpointLoadStatus(LoadStatus):
    """The status of the restoration of a checkpoint."""

    def __init__(
        self, restoration: Restoration, root: object, optional: Callable[[], object] | None = None
    ) -> None:
        """The variable that `optional` returns may lack a value."""
        self._restoration = restoration
        self._root = root
        self._optional = optional

    def assert_consumed(self) -> CheckpointLoadStatus:
        """Raise AssertionError unless every value of the checkpoint and every variable have met."""
        self.assert_existing_objects_matched()
        left = self._restoration.missing()
        if left:
            self._restoration.is_quiet = True
            names = self._restoration.names(left[: _LISTED + 1])
            raise AssertionError(
                f"{len(left)} values of the checkpoint {self._name()} found no variable: {_listed(names, len(left))}. "
                "Call expect_partial() instead if they are not wanted."
            )
        return self

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """Raise AssertionError unless every variable that exists has a value; the checkpoint may hold more."""
        self._restoration.update()
        leaves = graph_of(self._root).leaves()
        bound = {id(self._restoration.variable(number)) for number in self._restoration.bound}
        optional = self._optional() if self._optional else None
        left = [
            key.partition("/.ATTRIBUTES")[0]
            for key, leaf in leaves
            if id(variable_of(leaf)) not in bound and variable_of(leaf) is not optional
        ]
        if left:
            self._restoration.is_quiet = True
            raise AssertionError(
                f"The checkpoint {self._name()} has no value for {len(left)} variables: {_listed(left)}."
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """Raise AssertionError if nothing but the root was found."""
        self._restoration.update()
        if len(self._restoration.bound) <= 1 < len(self._restoration.nodes):
            self._restoration.is_quiet = True
            names = list(self._restoration.nodes[0].children)
            raise AssertionError(
                f"Nothing in the checkpoint {self._name()} has a name that is wanted; it has {_listed(names)}."
            )
        return self

    def expect_partial(self) -> CheckpointLoadStatus:
        """Say that the checkpoint may hold more than is wanted; no warning names what was not restored then."""
        self._restoration.is_quiet = True
        return self

    def _name(self) -> str:
        return str(self._restoration.bundle.prefix)


class NothingRestored(LoadStatus):
    """The status of `restore(None)`, which restores nothing."""

    def assert_consumed(self) -> LoadStatus:
        """Raise AssertionError."""
        raise AssertionError("Nothing was restored: the path of the checkpoint is None.")

    assert_existing_objects_matched = assert_consumed
    assert_nontrivial_match = assert_consumed


def _listed(names: list[str], count: int | None = None) -> str:
    """Return the first names of so many."""
    count = len(names) if count is None else count
    more = f", ... and {count - _LISTED} more" if count > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
