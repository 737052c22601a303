"""Real invoices from a file: one JSON object a line, gzip or not, each line checked.

Knows no models and no database. A line that cannot be an invoice of the shop is left out with
its reason, and the others are read all the same.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from apps.accounts.countries import country_code

# Beyond these a line is a mistake and not an order.
MAX_LINE_BYTES = 1024 * 1024
MAX_ITEMS = 10_000
MAX_QUANTITY = 200_000  # with MAX_ITEMS of one SKU still within PostgreSQL's integer

_FIELDS = ("number", "placed_at", "customer", "iso2", "kind", "lines", "total")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_MONEY = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,2})?")
_GZIP = b"\x1f\x8b"


class Unreadable(Exception):
    """The file is not there, may not be read, or is damaged."""


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
class BrokenLine:
    line_number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the file holds, in its order."""

    invoices: list[Invoice]
    broken: list[BrokenLine]

    def of_kind(self, kind: Kind) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.kind == kind]


class _Broken(Exception):
    """Why a line is no invoice."""


def read(path: Path) -> Contents:
    """Every invoice of the file and every line that is none; raises Unreadable."""
    contents = Contents(invoices=[], broken=[])
    seen: dict[str, int] = {}
    for line_number, raw in _numbered_lines(path):
        try:
            invoice = _invoice(raw)
            if invoice.number in seen:
                first = seen[invoice.number]
                raise _Broken(f"number {invoice.number} was on line {first} already")
        except _Broken as broken:
            contents.broken.append(BrokenLine(line_number=line_number, reason=str(broken)))
        else:
            seen[invoice.number] = line_number
            contents.invoices.append(invoice)
    return contents


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, blank ones left out, none longer than one byte too many."""
    with _opened(path) as file:
        line_number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            line_number += 1
            rest = raw
            while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES + 1)
            if raw.strip():
                yield line_number, raw


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            is_packed = file.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if is_packed else path.open("rb") as file:
            yield cast("BinaryIO", file)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"{path} cannot be read: {reason}.") from error


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
        raise _Broken(f"total is {invoice.total}, but its lines make {total}")
    return invoice


def _record(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE_BYTES:
        raise _Broken(f"longer than {MAX_LINE_BYTES} bytes")
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        raise _Broken("not JSON") from None
    if not isinstance(record, dict):
        raise _Broken("not a JSON object")
    missing = [field for field in _FIELDS if field not in record]
    if missing:
        raise _Broken(f"without {', '.join(missing)}")
    return record


def _kind(value: Any) -> Kind:
    try:
        return Kind(value)
    except ValueError:
        raise _Broken(f"unknown kind {_short(value)}") from None


def _lines(value: Any) -> tuple[InvoiceLine, ...]:
    if not isinstance(value, list) or not value:
        raise _Broken("lines are not a list of at least one")
    if len(value) > MAX_ITEMS:
        raise _Broken(f"{len(value)} lines, more than {MAX_ITEMS}")
    return tuple(_line(line) for line in value)


def _line(value: Any) -> InvoiceLine:
    if not isinstance(value, list) or len(value) != 3:
        raise _Broken("a line is not [sku, quantity, price]")
    sku, quantity, price = value
    return InvoiceLine(
        sku=_sku(sku), quantity=_quantity(quantity), unit_price=_money(price, field="price")
    )


def _sku(value: Any) -> str:
    # ASCII, so that Python and the database agree on what is the same when case is ignored.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise _Broken(f"SKU {_short(value)} is not printable ASCII text")
    if not 1 <= len(value) <= 64 or value != value.strip():
        raise _Broken(f"SKU {_short(value)} is empty, too long or has blanks at an end")
    return value


def _quantity(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Broken(f"quantity {_short(value)} is not a whole number")
    if value == 0 or abs(value) > MAX_QUANTITY:
        raise _Broken(f"quantity {_short(value)} is none, or more than {MAX_QUANTITY}")
    return value


def _refuse_negatives(lines: tuple[InvoiceLine, ...]) -> None:
    for line in lines:
        if line.quantity < 0:
            raise _Broken(f"quantity {line.quantity} of {line.sku} is negative in a sale")
        if line.unit_price < 0:
            raise _Broken(f"price {line.unit_price} of {line.sku} is negative in a sale")


def _money(value: Any, *, field: str) -> Decimal:
    # Text only: a JSON number would have been a float on its way here.
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise _Broken(f'{field} {_short(value)} is not an amount such as "2.55"')
    return Decimal(value)


def _name(value: Any, *, field: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _Broken(f"{field} {_short(value)} is not 1 to 40 letters, digits, dots or dashes")
    return value


def _customer(value: Any) -> str | None:
    return None if value is None else _name(value, field="customer")


def _local_time(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Broken(f"placed_at {_short(value)} is not a time") from None


def _country(value: Any) -> str:
    if not isinstance(value, str) or not _is_iso_code(value):
        raise _Broken(f"unknown country {_short(value)}")
    return value


@lru_cache(maxsize=1024)
def _is_iso_code(text: str) -> bool:
    try:
        return country_code(text) == text
    except LookupError:
        return False


def _short(value: Any) -> str:
    """Enough of it to find it, as one line; of a list or an object only that it is one."""
    if isinstance(value, list | dict):
        return f"a {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
