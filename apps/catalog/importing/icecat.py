"""A line of an Icecat catalogue: one product, which is its one variant."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from apps.catalog.importing import offers
from apps.catalog.importing.offers import OfferedProduct, OfferedVariant
from apps.catalog.skus import checked_sku
from shop.json_lines import Broken, short

FIELDS = ("sku", "title", "price_minor", "category_derived", "attributes")

_HIGHEST_PRICE = 10**12 - 1  # in minor units: what the column holds
_TOO_HIGH = 10**30  # of an attribute
# Several values stand behind commas without a blank, or on lines of their own; a comma with a
# blank behind it is a sentence's, one between digits a number's.
_BETWEEN_VALUES = re.compile(r"(?<!\d),(?!\s)|,(?![\s\d])|\\n|\n")
# "storage_temperature__t_t_" was "Storage temperature (T-T)".
_BRACKETED = re.compile(r"__([a-z0-9_]+?)_(?:_|$)")
_ABBREVIATION = re.compile(
    r"\b(ac|cd|ce|cpu|dc|ddr|dvd|dvi|ean|ecc|fm|fsb|gpu|gps|hd|hdd|hdmi|hp|iec|ip|iso|lan|lcd|led"
    r"|oem|osd|pc|pci|pdf|raid|ram|rfid|rohs|rom|sata|sd|sim|ssd|tv|ups|usb|uv|vga|vpn|wan)\b"
)

# What underscores have made of brackets and dashes in the most frequent names.
_MEANT = {
    r"\( ": "(",
    r" \)": ")",
    r" \((t t|h h)\)": "",  # (T-T), (H-H): from and to
    r"\(w ?x ?d ?x ?h\)": "(W x D x H)",
    r" s$": "(s)",
    "ROHS": "RoHS",
}


def product(record: dict[str, Any]) -> OfferedProduct:
    """What the line offers; raises Broken."""
    sku = checked_sku(record["sku"])
    name, description, is_cut = offers.name_and_description(
        record["title"], record.get("description")
    )
    path = record["category_derived"]
    if not isinstance(path, str):
        raise Broken("without a category")
    return OfferedProduct(
        sku=sku,
        name=name,
        description=description,
        name_is_cut=is_cut,
        brand=offers.brand(record.get("brand")),
        category=offers.shelf(path.split(" > ")),
        attributes=offers.attributes(_attributes(record["attributes"])),
        variants=(OfferedVariant(sku=sku, price=_price(record["price_minor"])),),
    )


def _price(value: Any) -> Decimal:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Broken(f"price_minor {short(value)} is not a whole number")
    if not 0 <= value <= _HIGHEST_PRICE:
        raise Broken(f"price_minor {short(value)} is negative or too high")
    return Decimal(value).scaleb(-2)


def _attributes(value: Any) -> Iterator[tuple[str, list[str]]]:
    """By a readable name; the prefix tells text (t_), number (n_) and yes or no (b_)."""
    if not isinstance(value, dict):
        raise Broken("attributes are not an object")
    for key, content in value.items():
        if not re.match("[tnb]_.", key):
            raise Broken(f"attribute {short(key)} does not start with t_, n_ or b_")
        yield _readable(key[2:]), _values(key, content)


@lru_cache(maxsize=10_000)  # a catalogue has some thousands of names, each on many lines
def _readable(key: str) -> str:
    key = _BRACKETED.sub(lambda found: f" ({found[1]}) ", key)
    words = " ".join(re.split(r"[_ ]+", key)).strip()
    name = re.sub(r"(?<=\b\d) (?=\d\b)", ".", words)  # USB 2 0
    name = _ABBREVIATION.sub(lambda found: found[0].upper(), name)
    for written, meant in _MEANT.items():
        name = re.sub(written, meant, name)
    return name[:1].upper() + name[1:]


def _values(key: str, content: Any) -> list[str]:
    if isinstance(content, bool):
        return ["Yes" if content else "No"]
    if isinstance(content, int | float):
        if not abs(content) < _TOO_HIGH:  # and what JSON does not know, but Python reads: NaN
            raise Broken(f"attribute {short(key)} is no number that a product has")
        return [f"{content:.15g}"]
    if isinstance(content, str):
        return [_capitalized(part.strip()) for part in _BETWEEN_VALUES.split(content)]
    raise Broken(f"attribute {short(key)} is neither text, number, true nor false")


def _capitalized(part: str) -> str:
    """Of "Black,cyan" the second is Cyan; what is no plain word stays as it is."""
    return part.capitalize() if re.fullmatch("[a-z ]+", part) else part
