"""What a row is."""

from collections.abc import Callable
from dataclasses import dataclass

from chaos.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the matrix: a fault, what must hold, and how to try it."""

    number: int
    fault: str
    holds: str
    run: Callable[[Trial], None]
    is_slow: bool = False


def row(
    number: int, fault: str, *, holds: str, is_slow: bool = False
) -> Callable[[Callable[[Trial], None]], Row]:
    """Make a row of the function that tries it."""
    return lambda run: Row(number=number, fault=fault, holds=holds, run=run, is_slow=is_slow)
