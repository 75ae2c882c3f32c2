"""How a contradiction in a contract is refused: at once, or gathered with others where a person wants to hear all of them.

Knows nothing of what is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from feature_repo.errors import ContractError

_gathered: ContextVar[list[str] | None] = ContextVar("gathered", default=None)


def duplicates(names: list[str]) -> list[str]:
    """The names that occur more than once, in order of first appearance."""
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def refuse(condition: object, message: str) -> None:
    """Raise ContractError with `message` where `condition` holds."""
    if condition and (gathered := _gathered.get()) is not None:
        gathered.append(message)
    elif condition:
        raise ContractError(message)


@contextmanager
def gathering() -> Iterator[list[str]]:
    """Within, what would be refused is gathered, so that a person hears it all at once. What is declared then is fit for nothing else."""
    found: list[str] = []
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)
