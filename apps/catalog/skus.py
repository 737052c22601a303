"""What a SKU in a file may look like."""

from typing import Any

from shop.json_lines import Broken, short


def checked_sku(value: Any) -> str:
    """The SKU as it stands; raises Broken."""
    # ASCII, so that Python and the database agree on what is the same when case is ignored.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise Broken(f"SKU {short(value)} is not printable ASCII text")
    if not 1 <= len(value) <= 64 or value != value.strip():
        raise Broken(f"SKU {short(value)} is empty, too long or has blanks at an end")
    return value
