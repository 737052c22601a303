"""Real invoices from a file of JSON lines.

Knows no models and no database. A line that cannot be an invoice of the shop is left out with
its reason, and the others are read all the same.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from apps.accounts.countries import country_code
from apps.catalog.skus import checked_sku
from shop.json_lines import Broken, BrokenLine, json_object, numbered_lines, short

# Beyond these a line is a mistake and not an order.
MAX_ITEMS = 10_000
MAX_QUANTITY = 200_000  # with MAX_ITEMS of one SKU still within PostgreSQL's integer

_FIELDS = ("number", "placed_at", "customer", "iso2", "kind", "lines", "total")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_MONEY = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,2})?")


class Kind(StrEnum):
    SALE = "sale"
    CANCELLATION = "cancellation"
    STOCK_ADJUSTMENT = "stock_adjustment"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    sku: str
    quantity: int
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice; `customer` is None where nobody gave a name, `placed_at` is local time."""

    number: str
    kind: Kind
    placed_at: datetime
    customer: str | None
    country: str
    lines: tuple[InvoiceLine, ...]
    total: Decimal

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the file holds, in its order."""

    invoices: list[Invoice]
    broken: list[BrokenLine]

    def of_kind(self, kind: Kind) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.kind == kind]


def read(path: Path) -> Contents:
    """Every invoice of the file and every line that is none; raises Unreadable."""
    contents = Contents(invoices=[], broken=[])
    seen: dict[str, int] = {}
    for line_number, raw in numbered_lines(path):
        try:
            invoice = _invoice(raw)
            if invoice.number in seen:
                first = seen[invoice.number]
                raise Broken(f"number {invoice.number} was on line {first} already")
        except Broken as broken:
            contents.broken.append(BrokenLine(line_number=line_number, reason=str(broken)))
        else:
            seen[invoice.number] = line_number
            contents.invoices.append(invoice)
    return contents


def _invoice(raw: bytes) -> Invoice:
    record = _record(raw)
    kind = _kind(record["kind"])
    lines = _lines(record["lines"])
    if kind == Kind.SALE:
        _refuse_negatives(lines)
    invoice = Invoice(
        number=_name(record["number"], field="number"),
        kind=kind,
        placed_at=_local_time(record["placed_at"]),
        customer=_customer(record["customer"]),
        country=_country(record["iso2"]),
        lines=lines,
        total=_money(record["total"], field="total"),
    )
    total = sum((line.total for line in lines), Decimal(0))
    if total != invoice.total:
        raise Broken(f"total is {invoice.total}, but its lines make {total}")
    return invoice


def _record(raw: bytes) -> dict[str, Any]:
    record = json_object(raw)
    missing = [field for field in _FIELDS if field not in record]
    if missing:
        raise Broken(f"without {', '.join(missing)}")
    return record


def _kind(value: Any) -> Kind:
    try:
        return Kind(value)
    except ValueError:
        raise Broken(f"unknown kind {short(value)}") from None


def _lines(value: Any) -> tuple[InvoiceLine, ...]:
    if not isinstance(value, list) or not value:
        raise Broken("lines are not a list of at least one")
    if len(value) > MAX_ITEMS:
        raise Broken(f"{len(value)} lines, more than {MAX_ITEMS}")
    return tuple(_line(line) for line in value)


def _line(value: Any) -> InvoiceLine:
    if not isinstance(value, list) or len(value) != 3:
        raise Broken("a line is not [sku, quantity, price]")
    sku, quantity, price = value
    return InvoiceLine(
        sku=checked_sku(sku),
        quantity=_quantity(quantity),
        unit_price=_money(price, field="price"),
    )


def _quantity(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Broken(f"quantity {short(value)} is not a whole number")
    if value == 0 or abs(value) > MAX_QUANTITY:
        raise Broken(f"quantity {short(value)} is none, or more than {MAX_QUANTITY}")
    return value


def _refuse_negatives(lines: tuple[InvoiceLine, ...]) -> None:
    for line in lines:
        if line.quantity < 0:
            raise Broken(f"quantity {line.quantity} of {line.sku} is negative in a sale")
        if line.unit_price < 0:
            raise Broken(f"price {line.unit_price} of {line.sku} is negative in a sale")


def _money(value: Any, *, field: str) -> Decimal:
    # Text only: a JSON number would have been a float on its way here.
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise Broken(f'{field} {short(value)} is not an amount such as "2.55"')
    return Decimal(value)


def _name(value: Any, *, field: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Broken(f"{field} {short(value)} is not 1 to 40 letters, digits, dots or dashes")
    return value


def _customer(value: Any) -> str | None:
    return None if value is None else _name(value, field="customer")


def _local_time(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Broken(f"placed_at {short(value)} is not a time") from None


def _country(value: Any) -> str:
    if not isinstance(value, str) or not _is_iso_code(value):
        raise Broken(f"unknown country {short(value)}")
    return value


@lru_cache(maxsize=1024)
def _is_iso_code(text: str) -> bool:
    try:
        return country_code(text) == text
    except LookupError:
        return False
