"""Invented invoices with the traps of real ones: repeats, free items, nameless customers."""

from decimal import Decimal
from typing import Any

Lines = list[tuple[str, int, str]]

# A SKU twice at two prices and in two spellings, a free item, a SKU with a blank.
TRAPS: Lines = [
    ("MUG-1", 2, "2.50"),
    ("mug-1", 3, "2.10"),
    ("CARD", 1, "0.00"),
    ("BANK FEE", 1, "15.00"),
]


def invoice(
    number: Any = "700001", lines: Lines | None = None, **fields: Any
) -> dict[str, Any]:
    """One invoice as the file has it; without lines, a sale of the TRAPS to customer 17."""
    lines = TRAPS if lines is None else lines
    total = sum((quantity * Decimal(price) for _, quantity, price in lines), Decimal("0.00"))
    record = {
        "number": number,
        "placed_at": "2010-12-01T08:26:00",
        "customer": "17",
        "country": "United Kingdom",
        "iso2": "GB",
        "lines": [list(line) for line in lines],
        "kind": "sale",
        "total": str(total),
    }
    return {**record, **fields}


def some_sales(count: int) -> list[dict[str, Any]]:
    """Sales of one hot SKU and one other, by three customers and by nobody."""
    customers = ["17", "18", "19", None]
    return [
        invoice(
            str(700001 + index),
            [("HOT", index + 1, "1.25"), (f"SKU{index % 3}", 2, "3.10")],
            customer=customers[index % 4],
        )
        for index in range(count)
    ]
