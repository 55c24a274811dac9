"""The import hook in the children that `multiprocessing` spawns from a launched script."""

from __future__ import annotations

from multiprocessing import spawn

from hornbeam.launch import hook

_FORKSERVER = "ignore"  # the name under which the server asks: it is no child


class _Install:
    """Pickles as a call of `hook.install`: reading it installs the hook."""

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return hook.install, ()


def follow() -> None:
    """Let each child started by `spawn` or `forkserver` install the hook, then run the script.

    A spawned child reads a dictionary of preparations first, then runs the script anew under the
    name `__mp_main__`, where it imports `tensorflow`. There is no public place to put a preparation
    of one's own, so one entry is added to that dictionary on its way. Children made by `fork` have
    the hook already; programs started by `subprocess` are programs of their own, to be run with
    `python -m hornbeam` themselves.

    The server that `forkserver` takes its children from reads the same dictionary, but only the paths in it. From
    Python 3.14 on, where `forkserver` is what a child is started by on Linux, it runs the script as well, so as to save
    its children the imports. Without the hook that would import another TensorFlow, or fail and be tried again for
    ever; so the server is not told of the script, and each child runs it, as in earlier Pythons.
    """
    prepare = spawn.get_preparation_data

    def with_hook(name: str) -> dict[str, object]:
        prepared = {**prepare(name), "hornbeam": _Install()}
        if name == _FORKSERVER:
            prepared.pop("init_main_from_path", None)
        return prepared

    spawn.get_preparation_data = with_hook
