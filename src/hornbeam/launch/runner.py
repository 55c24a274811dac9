"""Running a script, a module or a piece of code as `__main__`, with the import hook in place."""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import linecache
import os
import re
import sys
import textwrap
from collections.abc import Callable
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

from hornbeam.core.errors import did_you_mean
from hornbeam.launch import children, hook
from hornbeam.launch.traces import show_from

_NO_BREAK_SPACE = re.compile(
    r"""(?P<kept>\"{3}[\s\S]*?\"{3} | '{3}[\s\S]*?'{3}          # long strings
        | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | [#].*)   # short strings, comments
        | \u00a0""",
    re.VERBOSE,
)


class CannotRun(Exception):
    """There is nothing to run; the text says what was looked for. Nothing has been executed."""


def run_script(path: str, args: list[str]) -> None:
    """Run the file `path` (or `path/__main__.py`) as `python path args...` would.

    Raises CannotRun where there is no such file, and whatever the script raises.
    """
    file = os.path.abspath(os.path.join(path, "__main__.py") if os.path.isdir(path) else path)
    try:
        with open(file, "rb") as opened:
            source = opened.read()
    except OSError as error:
        raise CannotRun(_cannot_open(path, file, error)) from None
    # Python resolves links here: a script finds the modules that lie beside the real file.
    folder = os.path.dirname(os.path.realpath(file))
    _run(
        lambda: _compiled(source, file),
        argv=[path, *args],
        folder=folder,
        names={
            "__file__": file,
            "__cached__": None,
            "__loader__": SourceFileLoader("__main__", file),
        },
    )


def run_module(name: str, args: list[str]) -> None:
    """Run the module or package `name` as `python -m name args...` would.

    Raises CannotRun where there is no such module, and whatever it raises.
    """
    # The packages above the module are imported while it is looked for, so the stage is set first;
    # sys.argv[0] is "-m" meanwhile, as in Python, because the file is not known yet.
    _prepare(["-m", *args], os.getcwd())
    spec = _module_spec(name)
    get_code = getattr(spec.loader, "get_code", lambda name: None)

    def load() -> CodeType:
        code = get_code(spec.name)
        if code is None:
            raise CannotRun(f"can't run module {name!r}: it is not written in Python")
        return code

    _run(
        load,
        argv=[spec.origin or name, *args],
        folder=os.getcwd(),
        names={
            "__file__": spec.origin,
            "__cached__": spec.cached,
            "__loader__": spec.loader,
            "__package__": spec.parent,
            "__spec__": spec,
        },
    )


def run_code(source: str, args: list[str]) -> None:
    """Run `source` as `python -c source args...` would."""

    def load() -> CodeType:
        text = textwrap.dedent(source) if sys.version_info >= (3, 14) else source
        code = _compiled(text, "<string>")
        # From Python 3.13 on tracebacks show lines of such code, where it is registered; there is no public way. Its
        # first versions know the code by its file's name.
        register = getattr(linecache, "_register_code", None)
        if register is not None:
            known_as = code if hasattr(linecache, "_interactive_cache") else "<string>"
            register(known_as, text, "<string>")
        return code

    _run(load, argv=["-c", *args], folder="", names={"__loader__": BuiltinImporter})


def run_stdin(args: list[str]) -> None:
    """Run what stands on the standard input, as `python - args...` would."""
    source = sys.stdin.buffer.read()
    names = {"__file__": "<stdin>", "__cached__": None, "__loader__": BuiltinImporter}
    _run(lambda: _compiled(source, "<stdin>"), argv=["-", *args], folder="", names=names)


def _run(
    load: Callable[[], CodeType], *, argv: list[str], folder: str, names: dict[str, object]
) -> None:
    _prepare(argv, folder)
    main = ModuleType("__main__")
    vars(main).update({"__builtins__": builtins, **names})
    if sys.version_info < (3, 14):  # from then on Python makes them when they are asked for
        vars(main)["__annotations__"] = {}
    # multiprocessing, pickle and the interactive prompt find the script's classes by this entry.
    sys.modules["__main__"] = main
    code = None
    try:
        code = load()
        exec(code, vars(main))
    except (SystemExit, CannotRun):
        raise
    except BaseException:
        show_from(code)
        raise


def _compiled(source: str | bytes, shown_as: str) -> CodeType:
    """The code object of a script.

    Course notes live in documents, and what is copied out of one has no-break spaces (U+00A0) in
    its indentation, which Python refuses. Where that is why the source does not compile, they are
    read as spaces, except in strings and comments.
    """
    try:
        return compile(source, shown_as, "exec", dont_inherit=True)
    except SyntaxError as error:
        if "U+00A0" not in str(error):
            raise
        text = source if isinstance(source, str) else importlib.util.decode_source(source)
        spaced = _NO_BREAK_SPACE.sub(lambda found: found["kept"] or " ", text)
        with contextlib.suppress(SyntaxError):
            return compile(spaced, shown_as, "exec", dont_inherit=True)
        raise


def _prepare(argv: list[str], folder: str) -> None:
    sys.argv = argv
    if not sys.flags.safe_path:  # with -P or -I Python puts no folder in front, nor do we
        sys.path[0] = folder
    hook.install()
    children.follow()


def _module_spec(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        raise CannotRun(f"can't run module {name!r}: {error}") from None
    if spec is None:
        raise CannotRun(f"no module named {name!r}, looked for in {os.getcwd()} and on sys.path")
    if spec.submodule_search_locations is None:
        return spec
    inside = importlib.util.find_spec(f"{name}.__main__")
    if inside is None:
        raise CannotRun(f"{name!r} is a package without a __main__.py: it cannot be run itself")
    return inside


def _cannot_open(path: str, file: str, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"can't open {file!r}: {error.strerror}"
    if os.path.isdir(path):
        return f"can't run the folder {os.path.abspath(path)!r}: it has no __main__.py"
    text = f"can't open {file!r}: there is no such file."
    folder = os.path.dirname(file)
    if not os.path.isdir(folder):
        return f"{text} There is no folder {folder!r} either."
    scripts = [each for each in os.listdir(folder) if each.endswith(".py")]
    return text + did_you_mean(os.path.basename(file), scripts)
