"""`tf.CriticalSection`: code that one thread at a time runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hornbeam.core.names import auto_name

_sections: dict[str, threading.RLock] = {}


class CriticalSection:
    """A lock around functions: what `execute` runs, no other thread runs at the same time.

    Sections of one `shared_name` share their lock. Within a program there is nothing to guard: it runs in order.

    >>> import hornbeam as tf
    >>> section, v = tf.CriticalSection(), tf.Variable(0)
    >>> int(section.execute(lambda: v.assign_add(1)))
    1
    """

    def __init__(
        self,
        name: str | None = None,
        shared_name: str | None = None,
        critical_section_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        """Raises ValueError for a section of a graph."""
        if critical_section_def is not None:
            raise ValueError(
                "Argument `critical_section_def` is not supported: there are no graphs."
            )
        self._name = name or auto_name("critical_section")
        own = threading.RLock()
        self._lock = own if shared_name is None else _sections.setdefault(shared_name, own)

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    def execute(
        self,
        fn: Callable[[], Any],
        exclusive_resource_access: bool = True,
        name: str | None = None,
    ) -> Any:
        """Return what `fn()` returns, run while no other thread is in the section."""
        with self._lock:
            return fn()
