"""Queries of 300 characters, made to cost as much as possible, the same in every run."""

import random
from collections.abc import Iterator, Sequence

_LONGEST = 300  # characters, as the API has it
_LETTERS = "etaoinsr"
_USUAL = ("usb", "cable", "hp", "black", "laptop", "toner", "printer", "notebook", "memory")


def hostile(known: Sequence[str]) -> list[str]:
    """`known` are words of the catalogue, some of which come mistyped."""
    draw = random.Random(42)  # noqa: S311 nothing secret
    return [query[:_LONGEST].strip() for query in _hostile(draw, known)]


def _hostile(draw: random.Random, known: Sequence[str]) -> Iterator[str]:
    for length in (1, 2, 4, 6, 8, 20, 36, 40):  # of words that no product has
        for number in (8, 40):
            yield " ".join("".join(draw.choices(_LETTERS, k=length)) for _ in range(number))
    for number in (2, 8, 40):
        for _ in range(4):
            yield " ".join(_swapped(word) for word in draw.choices(known, k=number))
    for number in (1, 8, 40):
        yield " ".join(draw.choices(_USUAL, k=number))
        yield " ".join(f"ab{n}cd{n}" for n in range(number))
        yield " ".join(f"a-{n}-b" for n in range(number))
        yield " ".join(f"{n}.5mm" for n in range(number))
        yield " ".join(_USUAL[n % len(_USUAL)][:1] for n in range(number))
    yield from (
        "x" * _LONGEST,
        "a-" * 150,
        "1.1" * 100,
        "* OR " * 60,
        "\ud7a3" * _LONGEST,
        "\ufdf4" * _LONGEST,
        "-".join(["blqx", "bmqx", "bnqx"] * 20),
    )


def _swapped(word: str) -> str:
    return word[0] + word[2] + word[1] + word[3:]
