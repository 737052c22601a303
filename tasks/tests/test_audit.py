"""The audit passes a sound shop, and sees each way in which it can be broken."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from apps.orders.models import Order
from tasks.audit import GRACE, Finding
from tasks.audit.run import INVARIANTS, ask_all
from tasks.tests.every_kind_of_order import LATER, make_every_kind_of_order

pytestmark = pytest.mark.django_db

_DAMAGES = Path(__file__).with_name("audit_damages.toml")


@pytest.fixture(scope="module")
def orders(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, Order]]:
    """The shop, made once and never committed."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_every_kind_of_order()
        transaction.set_rollback(True)


def findings(*, number: str | None = None) -> dict[str, Finding]:
    """By code: what the audit finds in this transaction."""
    with connection.cursor() as cursor:
        found = ask_all(cursor, now=LATER, grace=GRACE, number=number)
    return {finding.code: finding for finding in found}


def test_finds_nothing_in_a_sound_shop_with_every_kind_of_order(
    orders: dict[str, Order],
) -> None:
    found = findings()
    assert [finding.samples for finding in found.values()] == [[]] * 9
    assert list(found) == ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I10"]


def test_says_what_it_has_looked_at(orders: dict[str, Order]) -> None:
    figures = {code: found.figures for code, found in findings().items()}
    assert len(orders) == 20
    assert figures["I1"] == {"stock items": 2, "order lines": 60, "pending orders": 6}
    assert figures["I3"]["orders"] == figures["I5"]["orders with a key"] == 20
    assert figures["I4"] == {"pending orders": 6, "of them late": 4}
    assert figures["I7"]["unknown"] == 1
    accounts = figures["I8"]
    assert accounts["messages"] == 24
    assert accounts["messages"] == sum(accounts[n] for n in ("processed", "queued", "dead"))
    assert accounts["dead letters"] == accounts["open"] + 1 == 6


def test_finds_nothing_in_any_one_order_either(orders: dict[str, Order]) -> None:
    for order in orders.values():
        found = findings(number=order.number)
        assert [finding.samples for finding in found.values()] == [[]] * 9
        assert found["I1"].figures["order lines"] == 3
        assert found["I2"].figures["movements"] < 7
        assert found["I5"].figures == {"orders with a key": 1}
        assert found["I10"].figures == {"orders": 1, "order lines": 3}


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What is done, and which line must say what about whom."""

    code: str
    name: str
    sql: str
    about: str
    says: str

    def __str__(self) -> str:
        return f"{self.code}: {self.name}"


DAMAGES = [Damage(**damage) for damage in tomllib.loads(_DAMAGES.read_text())["damage"]]


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_sees(damage: Damage, orders: dict[str, Order]) -> None:
    with transaction.atomic():
        _do(damage, orders)
        found = findings()
        transaction.set_rollback(True)
    assert [code for code, finding in found.items() if finding.violations] == [damage.code]
    order = orders.get(damage.about)
    about = order.number if order else damage.about
    samples = found[damage.code].samples
    assert [sample.subject for sample in samples if damage.says in sample.problem] == [about]


def _do(damage: Damage, orders: dict[str, Order]) -> None:
    with connection.cursor() as cursor:
        # A table with checks that wait for the commit could not be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT sku, id FROM catalog_variant")
        ids = dict(cursor.fetchall()) | {kind: order.pk for kind, order in orders.items()}
        cursor.execute(damage.sql, ids)


def test_each_invariant_is_seen_to_fail() -> None:
    assert {damage.code for damage in DAMAGES} == {line.code for line in INVARIANTS}
