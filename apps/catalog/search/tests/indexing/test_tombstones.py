"""A tombstone is swept when its product is gone and nobody can bring it back any more."""

import pytest
from django.utils import timezone

from apps.catalog.models import Product
from apps.catalog.search.engine.document import Entry, entries
from apps.catalog.search.indexing import comparing, rebuilding, tombstones
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.rebuilding import AlreadyRunning, sweep_tombstones
from apps.catalog.search.indexing.writing import patient, write, written_indexes
from shop.alone import alone
from tests.builders import make_variant
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(engine: str) -> None:
    """A mug, a pot and a jug, in the live index and the one before."""
    for sku in ("MUG", "POT", "JUG"):
        make_variant(sku)
    for _ in range(2):
        rebuilding.rebuild(clock=timezone.now)
    drain()


def drain() -> None:
    while drain_batch():
        pass


def delete(slug: str) -> None:
    product = Product.objects.get(slug=slug)
    product.variants.all().delete()
    product.delete()
    drain()


def written() -> list[dict[str, bool]]:
    """Of each index: its products, and whether they are tombstones."""
    found = []
    for index in written_indexes():
        patient().indices.refresh(index=index)
        hits = patient().search(index=index)["hits"]["hits"]
        found.append({hit["_id"]: hit["_source"]["deleted"] for hit in hits})
    return found


def differences() -> list[int]:
    return [comparing.compare(name, with_content=True).different for name in written_indexes()]


def forget() -> None:
    """The engine forgets the versions of what it has deleted, as after a restart."""
    for index in written_indexes():
        patient().indices.close(index=index)
        patient().indices.open(index=index)
        patient().cluster.health(index=index, wait_for_status="yellow")


@pytest.mark.usefixtures("shop")
def test_of_a_deleted_product_nothing_is_left_in_any_index() -> None:
    mug, pot, jug = (str(product.pk) for product in Product.objects.order_by("pk"))
    Product.objects.filter(slug="pot").update(is_published=False)
    delete("mug")
    assert written() == [{mug: True, pot: True, jug: False}] * 2
    assert sweep_tombstones(wait=lambda: None) == 2
    assert written() == [{pot: True, jug: False}] * 2
    assert differences() == [0, 0]
    assert sweep_tombstones(wait=lambda: None) == 0


@pytest.mark.usefixtures("shop")
def test_a_write_that_comes_late_does_not_bring_back_what_is_swept() -> None:
    mug = Product.objects.get(slug="mug")
    late = entries([mug.pk], gone={})
    delete("mug")

    def come_late() -> None:
        forget()
        write(late, indexes=written_indexes())

    assert sweep_tombstones(wait=come_late) == 2
    assert all(str(late[0].product_id) not in products for products in written())
    assert differences() == [0, 0]


@pytest.mark.usefixtures("shop")
def test_a_tombstone_that_was_written_meanwhile_is_too_young() -> None:
    delete("mug")
    pot = Product.objects.get(slug="pot").pk
    assert sweep_tombstones(wait=lambda: delete("pot")) == 2
    assert all(products[str(pot)] for products in written())


@pytest.mark.usefixtures("shop")
def test_a_product_that_came_back_meanwhile_stays() -> None:
    mug = Product.objects.get(slug="mug")
    (entry,) = entries([mug.pk], gone={})
    delete("mug")
    back = Entry(entry.product_id, entry.version + 100, entry.source)
    assert sweep_tombstones(wait=lambda: write([back], indexes=written_indexes())) == 0
    assert all(not products[str(back.product_id)] for products in written())


@pytest.mark.usefixtures("shop")
def test_nothing_is_swept_while_an_index_is_made() -> None:
    delete("mug")
    with alone(rebuilding._LOCK, waiting=lambda: None):
        sweep = lambda: sweep_tombstones(wait=lambda: None)  # noqa: E731
        (outcome,) = run_at_once([sweep])
    assert isinstance(outcome, AlreadyRunning)


@pytest.mark.usefixtures("shop")
def test_many_are_swept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tombstones, "_CHUNK", 1)
    Product.objects.filter(slug="pot").update(is_published=False)
    delete("mug")
    delete("jug")
    assert sweep_tombstones(wait=lambda: None) == 4
    assert [list(products.values()) for products in written()] == [[True]] * 2
