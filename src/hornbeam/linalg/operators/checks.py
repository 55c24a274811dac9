"""What is said of operators: ranks and hints, and what operators say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.linalg.operators.base import Hint, LinearOperator, sizes_of


def require_rank(tensor: Any, rank: int, name: str) -> None:
    """Raise ValueError for a tensor of too few axes."""
    if len(sizes_of(tensor)) < rank:
        raise ValueError(
            f"Argument `{name}` must have at least {rank} dimension{'s' if rank > 1 else ''}. Found: {tensor}"
        )


def require_hints(what: str, *hints: Hint) -> None:
    """Raise ValueError where one of the hints is False, for matrices of which all four hold."""
    words = ("non-singular", "self-adjoint", "positive-definite", "square")
    wrong: Sequence[str] = [word for word, hint in zip(words, hints, strict=True) if hint is False]
    if wrong:
        raise ValueError(f"{what} is always {wrong[0]}.")


def joint(name: str, given: Hint, known: Hint) -> Hint:
    """Return what a hint and what is known say together. Raises ValueError where they differ."""
    if given is None or known is None or given == known:
        return given if given is not None else known
    raise ValueError(f"The hint {name}={given} contradicts what the operators say: {known}.")


def shared(operators: Sequence[LinearOperator], given: Sequence[Hint]) -> list[Hint]:
    """Return the three hints of an operator for which each holds if it holds for all `operators`."""
    names = ("is_non_singular", "is_self_adjoint", "is_positive_definite")
    return [
        joint(name, hint, True)
        if operators and all(getattr(each, name) for each in operators)
        else hint
        for name, hint in zip(names, given, strict=True)
    ]
