"""What the cells of a row say, checked, column by column."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from apps.catalog.attributes import BadAttributes, from_text
from apps.catalog.importing.offers import NAME_LENGTH, SHELF_LENGTH
from apps.catalog.plain_text import one_line
from apps.catalog.skus import checked_sku
from shop.json_lines import Broken

_PRICE = re.compile(r"[0-9]{1,10}([.,][0-9]{1,2})?")
_SLUG = re.compile(r"(?=[-\w]*[A-Za-z])[-a-zA-Z0-9_]{1,210}")
_VARIANT_NAME_LENGTH = 100
_LONGEST_DESCRIPTION = 100_000
_YES, _NO = frozenset({"yes", "true", "1", "x"}), frozenset({"no", "false", "0", ""})


class Bad(Exception):
    """Why a cell cannot be taken, to follow the name of its column."""


def sku(cell: str) -> str:
    try:
        return checked_sku(cell)
    except Broken as broken:
        raise Bad(str(broken)) from broken


def slug(cell: str) -> str:
    if cell and not _SLUG.fullmatch(cell):
        raise Bad("is not an address: letters, digits, - and _, with one letter at least")
    return cell


def price(cell: str) -> Decimal:
    if not _PRICE.fullmatch(cell):
        raise Bad(f"“{cell[:40]}” is not an amount such as 9.50")
    return Decimal(cell.replace(",", "."))


def yes_or_no(cell: str) -> bool:
    if cell.lower() not in _YES | _NO:
        raise Bad(f"“{cell[:40]}” is neither yes nor no")
    return cell.lower() in _YES


def name(cell: str) -> str:
    return _text(cell, length=NAME_LENGTH, may_be_empty=False)


def variant_name(cell: str) -> str:
    return _text(cell, length=_VARIANT_NAME_LENGTH, may_be_empty=True)


def brand(cell: str) -> str:
    return _text(cell, length=SHELF_LENGTH, may_be_empty=True)


def category(cell: str) -> tuple[str, ...]:
    return tuple(
        _text(part, length=SHELF_LENGTH, may_be_empty=False) for part in cell.split(">")
    )


def description(cell: str) -> str:
    if len(cell) > _LONGEST_DESCRIPTION:
        raise Bad(f"is longer than {_LONGEST_DESCRIPTION} characters")
    return "\n".join(one_line(line) for line in cell.split("\n"))


def attributes(cell: str) -> dict[str, list[str]]:
    try:
        return from_text(cell)
    except BadAttributes as bad:
        raise Bad(str(bad)) from bad


def _text(cell: str, *, length: int, may_be_empty: bool) -> str:
    text = one_line(cell)
    if not text and not may_be_empty:
        raise Bad("is empty")
    if len(text) > length:
        raise Bad(f"is longer than {length} characters")
    return text


# In the order of an export. What is said of a product is the same on all its rows.
OF_PRODUCT: Mapping[str, Callable[[str], Any]] = {
    "name": name,
    "brand": brand,
    "category": category,
    "description": description,
    "attributes": attributes,
    "published": yes_or_no,
}
OF_VARIANT: Mapping[str, Callable[[str], Any]] = {
    "variant": variant_name,
    "price": price,
    "active": yes_or_no,
}
IMPORTED = ("sku", "product", *OF_PRODUCT, *OF_VARIANT)
# Told by an export, and not read: only the ledger moves stock.
ONLY_EXPORTED = ("on_hand", "available")
