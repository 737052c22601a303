"""Every change of what a document says marks its product, and nothing else does."""

import re
import statistics
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import F

from apps.catalog import inventory
from apps.catalog.models import Brand, Category, Product, StockItem, Variant
from apps.catalog.search.models import DirtyProduct
from tests.builders import NOON, make_variant
from tests.concurrently import run_at_once
from tests.servers import figures
from tests.statements import counted

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(minutes=1)


def dirty() -> dict[int, int]:
    return dict(DirtyProduct.objects.values_list("product_id", "version"))


def clean() -> None:
    DirtyProduct.objects.all().delete()


def version_of(product: Product) -> int:
    return Product.objects.values_list("search_version", flat=True).get(pk=product.pk)


@pytest.fixture
def mug() -> Variant:
    """On a shelf in a shelf, of a brand, with 20 in stock; nothing is dirty."""
    brand = Brand.objects.create(name="Acme", slug="acme")
    home = Category.objects.create(name="Home", slug="home")
    kitchen = Category.objects.create(name="Kitchen", slug="kitchen", parent=home)
    product = Product.objects.create(name="Mug", slug="mug", category=kitchen, brand=brand)
    variant = make_variant("MUG", on_hand=20, product=product)
    make_variant("POT", on_hand=20)
    clean()
    return variant


def change_a_variant(mug: Variant, **fields: object) -> None:
    Variant.objects.filter(pk=mug.pk).update(**fields)


def change_the_product(mug: Variant, **fields: object) -> None:
    Product.objects.filter(pk=mug.product_id).update(**fields)


def reserve(units: int) -> Callable[[Variant], None]:
    return lambda mug: inventory.reserve({mug.pk: units}, reference="order-1", now=NOON)


@pytest.mark.parametrize(
    "change",
    [
        partial(change_a_variant, price="7.77"),
        partial(change_a_variant, name="Red"),
        partial(change_a_variant, sku="MUG-1"),
        partial(change_a_variant, is_active=False),
        partial(change_the_product, name="Cup"),
        partial(change_the_product, slug="cup"),
        partial(change_the_product, description="Holds coffee."),
        partial(change_the_product, attributes={"Colour": ["Red"]}),
        partial(change_the_product, is_published=False),
        partial(change_the_product, brand=None),
        partial(change_the_product, popularity=0.5),
        reserve(15),
        reserve(20),
        lambda mug: make_variant("MUG-2", product=mug.product),
        lambda mug: inventory.correct({mug.pk: -20}, reference="count", now=NOON, reason="!"),
    ],
)
def test_a_change_that_a_document_shows_marks_its_product_with_a_higher_version(
    mug: Variant, change: Callable[[Variant], object]
) -> None:
    before = version_of(mug.product)
    change(mug)
    assert version_of(mug.product) > before
    assert dirty() == {mug.product_id: version_of(mug.product)}


def test_a_variant_that_moves_marks_the_product_it_leaves_and_the_one_it_goes_to(
    mug: Variant,
) -> None:
    pot = Variant.objects.get(sku="POT")
    Variant.objects.filter(pk=mug.pk).update(product=pot.product)
    assert set(dirty()) == {mug.product_id, pot.product_id}


def test_a_variant_that_is_deleted_marks_its_product(mug: Variant) -> None:
    spare = make_variant("MUG-2", product=mug.product)
    clean()
    spare.delete()
    assert dirty() == {mug.product_id: version_of(mug.product)}


def test_a_product_that_is_deleted_leaves_a_mark_with_a_version_above_its_last(
    mug: Variant,
) -> None:
    product = Product.objects.create(name="Jug", slug="jug", category=mug.product.category)
    clean()
    last, pk = product.search_version, product.pk
    product.delete()
    assert dirty() == {pk: last + 1}


@pytest.mark.parametrize(
    "change",
    [
        reserve(14),
        lambda mug: mug.save(),
        lambda mug: mug.product.save(),
        lambda mug: inventory.receive({mug.pk: 5}, reference="more", now=NOON),
    ],
)
def test_what_no_document_shows_marks_nothing(
    mug: Variant, change: Callable[[Variant], object]
) -> None:
    before = version_of(mug.product)
    change(mug)
    assert dirty() == {}
    assert version_of(mug.product) == before


def test_a_checkout_and_its_sale_mark_a_product_once_when_the_stock_becomes_low(
    mug: Variant,
) -> None:
    before = version_of(mug.product)
    inventory.reserve({mug.pk: 16}, reference="order-1", now=NOON)
    inventory.sell(reference="order-1", now=NOON)
    assert dirty() == {mug.product_id: before + 1}


def test_stock_that_is_moved_to_another_variant_marks_both_products(mug: Variant) -> None:
    jug = make_variant("JUG")
    StockItem.objects.filter(variant=jug).delete()
    DirtyProduct.objects.all().delete()
    StockItem.objects.filter(variant=mug).update(variant=jug)
    assert set(dirty()) == {mug.product_id, jug.product_id}


def test_a_claim_of_a_clock_that_was_ahead_is_none(mug: Variant) -> None:
    change_a_variant(mug, price="1")
    DirtyProduct.objects.claim(limit=1, now=NOON + timedelta(days=1))
    assert list(DirtyProduct.objects.claim(limit=1, now=NOON)) == [mug.product_id]


def test_a_form_that_was_opened_before_another_change_does_not_take_the_version_back(
    mug: Variant,
) -> None:
    opened = Product.objects.get(pk=mug.product_id)
    for price in ("1", "2", "3"):
        change_a_variant(mug, price=price)
    version = version_of(mug.product)
    opened.save()
    assert version_of(mug.product) == version
    opened.name = "Cup"
    opened.save()
    assert version_of(mug.product) == version + 1


def test_a_hundred_changes_are_one_mark_as_old_as_the_first(mug: Variant) -> None:
    change_a_variant(mug, price="1")
    first = DirtyProduct.objects.get()
    for price in range(2, 5):
        change_a_variant(mug, price=price)
    last = DirtyProduct.objects.get()
    assert last.dirty_since == first.dirty_since
    assert last.version == first.version + 3


def test_a_restored_database_whose_search_path_is_empty_marks_as_well(mug: Variant) -> None:
    statements = [
        "UPDATE public.catalog_product SET name = name || '!'",
        "UPDATE public.catalog_variant SET price = price + 1",
        "UPDATE public.catalog_stockitem SET reserved = on_hand",
        "UPDATE public.catalog_stockitem SET reserved = 0",
        "DELETE FROM public.catalog_stockitem",
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO ''")
        for statement in statements:
            cursor.execute("DELETE FROM public.search_dirtyproduct")
            cursor.execute(statement)
            cursor.execute("SELECT count(*) FROM public.search_dirtyproduct")
            assert cursor.fetchone()[0] >= 1, statement
        cursor.execute("SET LOCAL search_path TO public")


def test_no_trigger_joins_the_rows_before_with_those_after() -> None:
    """Planned for one row and kept for the connection, it would take minutes for thousands."""
    joins = r"SELECT proname FROM pg_proc WHERE prosrc ~* '\mJOIN\s+(before|after)\M'"
    with connection.cursor() as cursor:
        cursor.execute(joins)
        assert cursor.fetchall() == []


def test_a_checkout_asks_nothing_more_of_the_database(mug: Variant) -> None:
    with counted() as changing:
        inventory.reserve({mug.pk: 16}, reference="order-1", now=NOON)
    with counted() as not_changing:
        inventory.reserve({mug.pk: 1}, reference="order-2", now=NOON)
    assert len(changing) == len(not_changing) == 1


@pytest.mark.django_db(transaction=True)
def test_checkouts_of_other_variants_of_the_same_products_do_not_deadlock() -> None:
    products = [make_variant(f"SKU{n}").product for n in range(8)]
    calls = []
    for n in range(16):
        # Their stock is locked in the order of these, and every other time that is backwards.
        backwards = products if n % 2 else products[::-1]
        variants = [make_variant(f"{p.name}-{n}", on_hand=1, product=p) for p in backwards]
        wanted = {variant.pk: 1 for variant in variants}
        calls.append(partial(inventory.reserve, wanted, reference=f"order-{n}", now=NOON))
    before = set(Product.objects.values_list("search_version", flat=True))
    assert run_at_once(calls) == [None] * 16
    assert StockItem.objects.filter(on_hand=F("reserved")).count() == 16 * 8
    after = set(Product.objects.values_list("search_version", flat=True))
    assert after == {version + 16 for version in before}


@pytest.mark.parametrize(("units", "what"), [(1, "the same"), (16, "another")])
def test_what_the_marks_cost_a_checkout_is_printed(mug: Variant, units: int, what: str) -> None:
    update = "UPDATE catalog_stockitem SET reserved = reserved + %s WHERE variant_id = %s"
    times = []
    with connection.cursor() as cursor:
        for _ in range(20):
            StockItem.objects.update(reserved=0)
            cursor.execute(f"EXPLAIN (ANALYZE) {update}", [units, mug.pk])
            plan = "\n".join(line for (line,) in cursor.fetchall())
            (took,) = re.findall(r"Trigger search_dirty_if_changed: time=([\d.]+)", plan)
            times.append(float(took))
    median = statistics.median(times)
    figures.append(f"a checkout after which the stock is in {what} bucket: + {median:.2f} ms")


def test_a_claimed_product_is_nobody_elses_until_its_worker_has_died(mug: Variant) -> None:
    change_a_variant(mug, price="1")
    assert DirtyProduct.objects.claim(limit=9, now=NOON) == dirty()
    assert DirtyProduct.objects.claim(limit=9, now=NOON + timedelta(seconds=14)) == {}
    assert DirtyProduct.objects.claim(limit=9, now=NOON + timedelta(seconds=16)) == dirty()


def test_a_product_that_changes_while_it_is_written_stays_dirty(mug: Variant) -> None:
    change_a_variant(mug, price="1")
    claimed = DirtyProduct.objects.claim(limit=9, now=NOON)
    change_a_variant(mug, price="2")
    assert DirtyProduct.objects.settle(claimed) == 0
    again = DirtyProduct.objects.claim(limit=9, now=NOON)
    assert again == {mug.product_id: version_of(mug.product)}
    assert DirtyProduct.objects.settle(again) == 1
    assert dirty() == {}


def test_the_oldest_are_claimed_first_and_no_more_than_asked_for(mug: Variant) -> None:
    pot = Variant.objects.get(sku="POT")
    for variant in (pot, mug):
        change_a_variant(variant, price="1")
    DirtyProduct.objects.filter(pk=pot.product_id).update(dirty_since=NOON)
    assert set(DirtyProduct.objects.claim(limit=1, now=LATER)) == {pot.product_id}
    assert set(DirtyProduct.objects.claim(limit=9, now=LATER)) == {mug.product_id}


def test_what_was_too_much_together_comes_in_fewer_and_after_what_was_not(mug: Variant) -> None:
    pot = Variant.objects.get(sku="POT")
    for variant in (mug, pot):
        change_a_variant(variant, price="1")
    claimed = DirtyProduct.objects.claim(limit=9, now=NOON)
    DirtyProduct.objects.halve(claimed, now=NOON)
    cup = make_variant("CUP").product_id
    turns = [set(DirtyProduct.objects.claim(limit=9, now=LATER)) for _ in range(4)]
    assert turns == [{cup}, {mug.product_id}, {pot.product_id}, set()]


@pytest.mark.django_db(transaction=True)
def test_a_product_that_is_just_being_saved_holds_up_no_worker() -> None:
    mug, pot = make_variant("MUG"), make_variant("POT")
    marks = dirty()

    def in_another_connection(call: Callable[[], object]) -> object:
        (outcome,) = run_at_once([call])
        return outcome

    with transaction.atomic():
        change_a_variant(mug, price="1")
        claim = partial(DirtyProduct.objects.claim, limit=9, now=NOON)
        assert in_another_connection(claim) == {pot.product_id: marks[pot.product_id]}
        halve = partial(DirtyProduct.objects.halve, list(marks), now=NOON)
        assert in_another_connection(halve) is None
        assert set(DirtyProduct.objects.exclude(together=None)) == {
            DirtyProduct(pot.product_id)
        }
        assert in_another_connection(partial(DirtyProduct.objects.settle, marks)) == 1
    assert set(dirty()) == {mug.product_id}


def test_many_are_marked_five_hundred_at_a_time(mug: Variant) -> None:
    before = version_of(mug.product)
    many = dict.fromkeys([mug.product_id, *range(10**6, 10**6 + 500)], before)
    with counted() as statements:
        DirtyProduct.objects.mark(many)
    assert len(statements) == 2
    assert dirty() == {mug.product_id: before + 1}
