"""A supplier's file, line by line: what each offers, or what is wrong with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apps.catalog.importing import icecat, luma
from apps.catalog.importing.offers import OfferedProduct
from shop.json_lines import Broken, json_object, numbered_lines

# Each format by the fields that every line of it has.
_FORMATS: dict[tuple[str, ...], Callable[[dict[str, Any]], OfferedProduct]] = {
    icecat.FIELDS: icecat.product,
    luma.FIELDS: luma.product,
}

Line = tuple[int, OfferedProduct | str]  # its number; what it offers, or why it is broken


class Reader:
    """Reads one file after the other and refuses a SKU that an earlier line offered.

    Else the last of two lines would win, and the next run would change the product twice. It
    remembers every SKU: 200 bytes or so for each.
    """

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}  # SKU in lower case -> where

    def read(self, path: Path) -> Iterator[Line]:
        """Each line's number with what is on it; raises Unreadable."""
        for line_number, raw in numbered_lines(path):
            try:
                offered = _offered(raw)
                self._remember(offered, f"{path.name}, line {line_number}")
            except Broken as broken:
                yield line_number, str(broken)
            else:
                yield line_number, offered

    def _remember(self, offered: OfferedProduct, here: str) -> None:
        skus = [variant.sku.lower() for variant in offered.variants]
        for sku in skus:
            if sku in self._seen:
                raise Broken(f"SKU {sku.upper()} was in {self._seen[sku]} already")
        if len(set(skus)) < len(skus):
            raise Broken("two variants with one SKU")
        self._seen.update(dict.fromkeys(skus, here))


def count_lines(path: Path) -> int:
    """How many lines there are; raises Unreadable if any part of the file is."""
    return sum(1 for _ in numbered_lines(path))


def _offered(raw: bytes) -> OfferedProduct:
    record = json_object(raw)
    for fields, product in _FORMATS.items():
        if record.keys() >= set(fields):
            return product(record)
    raise Broken(
        "neither a product of Icecat (with "
        + " nor one of Luma (with ".join(f"{', '.join(fields)})" for fields in _FORMATS)
    )
