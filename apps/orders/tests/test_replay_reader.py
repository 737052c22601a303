"""Reading a file of invoices: what is taken, what is left out, and why."""

import json
import os
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.orders.replay.reader import Invoice, Kind, read
from apps.orders.tests.replay_samples import TRAPS, invoice, some_sales
from shop.json_lines import MAX_LINE_BYTES, Unreadable
from tests.files import write_file


def _read_one(tmp_path: Path, record: Any) -> Invoice:
    contents = read(write_file(tmp_path / "orders.jsonl", [record]))
    assert not contents.broken
    (found,) = contents.invoices
    return found


def test_takes_every_line_of_a_sale_as_it_stands(tmp_path: Path) -> None:
    sale = _read_one(tmp_path, invoice())
    assert [(line.sku, line.quantity, str(line.unit_price)) for line in sale.lines] == TRAPS
    assert (sale.number, sale.kind, sale.customer) == ("700001", Kind.SALE, "17")
    assert (sale.country, sale.units, sale.total) == ("GB", 7, Decimal("26.30"))
    assert sale.placed_at == datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 local time in the file


def test_takes_a_sale_without_a_customer(tmp_path: Path) -> None:
    assert _read_one(tmp_path, invoice(customer=None)).customer is None


def test_takes_what_is_returned_but_not_as_a_sale(tmp_path: Path) -> None:
    path = write_file(
        tmp_path / "orders.jsonl",
        [
            invoice("C1", [("MUG-1", -2, "2.50")], kind="cancellation"),
            invoice("2", [("MUG-1", 5, "0.00")], kind="stock_adjustment"),
        ],
    )
    contents = read(path)
    assert [len(contents.of_kind(kind)) for kind in Kind] == [0, 1, 1]
    assert contents.invoices[0].total == Decimal("-5.00")


def test_reads_a_packed_file_like_a_plain_one_whatever_its_name(tmp_path: Path) -> None:
    plain = read(write_file(tmp_path / "plain", some_sales(5)))
    packed = read(write_file(tmp_path / "packed", some_sales(5), packed=True))
    assert packed == plain
    assert len(plain.invoices) == 5


def test_skips_blank_lines_but_counts_them(tmp_path: Path) -> None:
    contents = read(write_file(tmp_path / "orders.jsonl", ["", invoice(), "  ", "broken"]))
    assert len(contents.invoices) == 1
    assert [broken.line_number for broken in contents.broken] == [4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("\xff\xfe", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 5_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ({"number": "1"}, "without placed_at, customer, iso2, kind, lines, total"),
        (invoice(kind="gift"), "unknown kind 'gift'"),
        (invoice(kind=[]), "unknown kind a list"),
        (invoice(number=7), "number 7 is not 1 to 40 letters, digits, dots or dashes"),
        (invoice(number=""), "number '' is not 1 to 40 letters, digits, dots or dashes"),
        (invoice(customer="a b"), "customer 'a b' is not 1 to 40 letters"),
        (invoice(placed_at="yesterday"), "placed_at 'yesterday' is not a time"),
        (invoice(placed_at=None), "placed_at None is not a time"),
        (invoice(iso2="XX"), "unknown country 'XX'"),
        (invoice(iso2="gb"), "unknown country 'gb'"),
        (invoice(iso2="United Kingdom"), "unknown country 'United Kingdom'"),
        (invoice(iso2=None), "unknown country None"),
        (invoice(lines=[]), "lines are not a list of at least one"),
        ({**invoice(), "lines": {}}, "lines are not a list of at least one"),
        ({**invoice(), "lines": [["A", 1]]}, "a line is not [sku, quantity, price]"),
        (invoice(lines=[("A", -1, "1.00")]), "quantity -1 of A is negative in a sale"),
        (invoice(lines=[("A", 0, "1.00")]), "quantity 0 is none, or more than 200000"),
        (invoice(lines=[("A", 200_001, "1.00")]), "quantity 200001 is none, or more"),
        ({**invoice(), "lines": [["A", True, "1.00"]]}, "quantity True is not a whole number"),
        ({**invoice(), "lines": [["A", 1.0, "1.00"]]}, "quantity 1.0 is not a whole number"),
        ({**invoice(), "lines": [["A", 1, 1.0]]}, "price 1.0 is not an amount"),
        ({**invoice(), "lines": [["A", 1, "NaN"]]}, "price 'NaN' is not an amount"),
        ({**invoice(), "lines": [["A", 1, "1e3"]]}, "price '1e3' is not an amount"),
        ({**invoice(), "lines": [["A", 1, "1.001"]]}, "price '1.001' is not an amount"),
        (invoice(lines=[("A", 1, "-1.00")]), "price -1.00 of A is negative in a sale"),
        (invoice(lines=[("", 1, "1.00")]), "SKU '' is empty, too long or has blanks at an end"),
        (invoice(lines=[("A ", 1, "1.00")]), "SKU 'A ' is empty, too long or has blanks"),
        (invoice(lines=[("A" * 65, 1, "1.00")]), "is empty, too long or has blanks at an end"),
        (invoice(lines=[("MÜG", 1, "1.00")]), "SKU 'M\\xdcG' is not printable ASCII text"),
        (invoice(lines=[("A\0", 1, "1.00")]), "SKU 'A\\x00' is not printable ASCII text"),
        ({**invoice(), "lines": [[7, 1, "1.00"]]}, "SKU 7 is not printable ASCII text"),
        (invoice(total="26.31"), "total is 26.31, but its lines make 26.30"),
        (invoice(total=26.3), "total 26.3 is not an amount"),
        (invoice(lines=[("A", 1, "1.00")] * 10_001), "10001 lines, more than 10000"),
        (" " * MAX_LINE_BYTES + "{}", f"longer than {MAX_LINE_BYTES} bytes"),
    ],
)
def test_leaves_out_a_broken_line_and_reads_the_others(
    tmp_path: Path, line: Any, reason: str
) -> None:
    sales = some_sales(2)
    contents = read(write_file(tmp_path / "orders.jsonl", [sales[0], line, sales[1]]))
    (broken,) = contents.broken
    assert broken.line_number == 2
    assert reason in broken.reason
    assert [sale.number for sale in contents.invoices] == ["700001", "700002"]


def test_takes_the_first_of_two_invoices_with_one_number(tmp_path: Path) -> None:
    path = write_file(
        tmp_path / "orders.jsonl", [invoice(customer="17"), invoice(customer="18")]
    )
    contents = read(path)
    assert [sale.customer for sale in contents.invoices] == ["17"]
    assert contents.broken[0].reason == "number 700001 was on line 1 already"


def test_takes_the_good_invoice_after_a_broken_one_with_its_number(tmp_path: Path) -> None:
    contents = read(write_file(tmp_path / "orders.jsonl", [invoice(total="1.00"), invoice()]))
    assert len(contents.invoices) == 1


def test_says_that_a_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: No such file"):
        read(tmp_path / "nowhere.jsonl")


def test_says_that_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("damage", [slice(0, 60), slice(0, -4)])
def test_says_that_a_packed_file_is_cut_short(tmp_path: Path, damage: slice) -> None:
    path = write_file(tmp_path / "orders.jsonl.gz", some_sales(50), packed=True)
    path.write_bytes(path.read_bytes()[damage])
    with pytest.raises(Unreadable, match="cannot be read"):
        read(path)


def test_says_that_a_packed_file_is_damaged(tmp_path: Path) -> None:
    path = write_file(tmp_path / "orders.jsonl.gz", some_sales(50), packed=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="cannot be read"):
        read(path)


@pytest.fixture
def real_orders() -> Path:
    path = os.environ.get("REPLAY_ORDERS")
    if not path:
        pytest.skip("REPLAY_ORDERS does not name a file of real orders")
    return Path(path)


def test_finds_the_known_numbers_in_the_real_file(real_orders: Path) -> None:
    expected = json.loads((real_orders.parent / "expected_dev.json").read_text())
    contents = read(real_orders)
    assert not contents.broken
    for kind in Kind:
        invoices = contents.of_kind(kind)
        found = {
            "orders": len(invoices),
            "lines": sum(len(entry.lines) for entry in invoices),
            "units": sum(entry.units for entry in invoices),
            "value": str(sum(entry.total for entry in invoices)),
        }
        assert found == expected["by_kind"][kind]
    months: dict[str, dict[str, Any]] = defaultdict(dict)
    for kind in (Kind.SALE, Kind.CANCELLATION):
        for month in expected["by_month"]:
            invoices = [
                entry for entry in contents.of_kind(kind) if f"{entry.placed_at:%Y-%m}" == month
            ]
            months[month][f"{kind}_orders"] = len(invoices)
            months[month][f"{kind}_value"] = str(sum(entry.total for entry in invoices))
    assert months == expected["by_month"]
