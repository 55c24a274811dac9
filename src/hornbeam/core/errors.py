"""Messages that say what came, what was expected and what to do about it.

The exceptions themselves are Python's own (`ValueError`, `TypeError`, `AttributeError`, ...), as in Keras, so that
`except` clauses in existing code keep working; what is shared is the wording and the search for near names.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near_names(name: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """Return the candidates most like `name`, best first; case and underscores do not count.

    >>> near_names("sofmax", ["relu", "softmax", "softplus"])
    ['softmax']
    """

    def plain(text: str) -> str:
        return text.lower().replace("_", "").replace("-", "")

    by_plain: dict[str, list[str]] = {}
    for candidate in candidates:
        by_plain.setdefault(plain(candidate), []).append(candidate)
    found = difflib.get_close_matches(plain(name), list(by_plain), n=limit, cutoff=0.7)

    def likeness(candidate: str) -> float:
        return difflib.SequenceMatcher(None, name, candidate).ratio()

    return [max(by_plain[key], key=likeness) for key in found]


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a sentence that proposes near names, with a leading space; empty where nothing is near.

    >>> did_you_mean("sofmax", ["relu", "softmax"])
    " Did you mean 'softmax'?"
    """
    found = near_names(name, candidates)
    if not found:
        return ""
    return f" Did you mean {' or '.join(repr(each) for each in found)}?"


def unknown_name(kind: str, name: object, candidates: Iterable[str], hint: str = "") -> ValueError:
    """Return the error for an identifier that names nothing, e.g. an optimizer, a loss or an activation.

    >>> str(unknown_name("optimizer", "adamm", ["adam", "sgd"]))
    "Unknown optimizer: 'adamm'. Did you mean 'adam'? Known names: adam, sgd."
    """
    known = sorted(set(candidates))
    message = f"Unknown {kind}: {name!r}."
    if isinstance(name, str):
        message += did_you_mean(name, known)
    if known:
        message += f" Known names: {', '.join(known)}."
    return ValueError(message + (f" {hint}" if hint else ""))


def missing_attribute(module: str, name: str, candidates: Iterable[str]) -> AttributeError:
    """Return the error for a public name that a module of Hornbeam does not have.

    >>> str(missing_attribute("hornbeam.nn", "rellu", ["relu", "tanh"]))
    "Hornbeam has no 'hornbeam.nn.rellu'. Did you mean 'relu'?"
    """
    public = [each for each in candidates if not each.startswith("_")]
    return AttributeError(
        f"Hornbeam has no '{module}.{name}'.{did_you_mean(name, public)}", name=name
    )
