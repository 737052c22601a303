"""What a line of a supplier's file offers, in the shop's own words, checked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.catalog.attributes import LONGEST_NAME, LONGEST_VALUE, problems
from apps.catalog.plain_text import cut, one_line, plain_text
from shop.json_lines import Broken, short

# What the columns hold.
NAME_LENGTH = 200
SHELF_LENGTH = 100  # also a brand's
MOST_UNITS = 1_000_000
_DEEPEST = 10
_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedVariant:
    """`name` empty and `units` None: the line does not say."""

    sku: str
    price: Decimal
    name: str = ""
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedProduct:
    """One product with at least one variant; what is empty is not in the line."""

    sku: str
    name: str
    description: str
    brand: str
    category: tuple[str, ...]  # the outermost first
    attributes: dict[str, list[str]]
    variants: tuple[OfferedVariant, ...]
    name_is_cut: bool = False


def name_and_description(name: Any, description: Any) -> tuple[str, str, bool]:
    """The name as long as the shop allows, the text below it, and whether the name was cut.

    A name that is cut stands whole above the text, where search finds it.
    """
    whole = text(name, field="name")
    if not whole:
        raise Broken("without a name")
    if description is not None and not isinstance(description, str):
        raise Broken(f"description {short(description)} is not text")
    below = plain_text(description or "")
    shown = cut(whole, length=NAME_LENGTH)
    if shown == whole:
        return whole, below, False
    return shown, f"{whole}\n{below}".strip(), True


def text(value: Any, *, field: str) -> str:
    """One line of text without mark-up, empty if there is none; raises Broken."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Broken(f"{field} {short(value)} is not text")
    return one_line(plain_text(value))


def shelf(names: Iterable[str]) -> tuple[str, ...]:
    """A category's path, the outermost first; raises Broken."""
    path = tuple(text(name, field="category") for name in names)
    if not path or not all(path):
        raise Broken("without a category")
    if len(path) > _DEEPEST:
        raise Broken(f"category inside {len(path) - 1} others, more than {_DEEPEST - 1}")
    for name in path:
        if len(name) > SHELF_LENGTH:
            raise Broken(f"category {short(name)} is longer than {SHELF_LENGTH} characters")
    return path


def brand(value: Any) -> str:
    name = text(value, field="brand")
    if len(name) > SHELF_LENGTH:
        raise Broken(f"brand {short(name)} is longer than {SHELF_LENGTH} characters")
    return name


def amount(value: Any, *, field: str) -> Decimal:
    """An amount of money from text such as "52" or "52.50"; raises Broken."""
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Broken(f'{field} {short(value)} is not an amount such as "2.55"')
    return Decimal(value)


def units(value: Any) -> int | None:
    """Units in stock, from a number or its text; raises Broken."""
    if value is None:
        return None
    written = str(value) if isinstance(value, int | str) else ""
    if not re.fullmatch("[0-9]{1,7}", written) or int(written) > MOST_UNITS:
        raise Broken(f"quantity {short(value)} is not a whole number up to {MOST_UNITS}")
    return int(written)


def attributes(pairs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    """The values by name, each value once, long ones cut; raises Broken if there are too many.

    Two names that become one when they are made readable share their values.
    """
    found: dict[str, list[str]] = {}
    for name, values in pairs:
        words = [cut(one_line(plain_text(value)), length=LONGEST_VALUE) for value in values]
        kept = found.setdefault(cut(one_line(name), length=LONGEST_NAME), [])
        kept += [word for word in dict.fromkeys(words) if word and word not in kept]
    found = {name: values for name, values in found.items() if name and values}
    wrong = next(problems(found), None)
    if wrong:
        raise Broken(wrong.removesuffix("."))
    return found
