"""A renaming of which a product is held, or of which products take too long."""

import time
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction

from apps.catalog.models import Brand, Product
from apps.catalog.search.indexing import renaming
from apps.catalog.search.indexing.renaming import follow_renamings
from apps.catalog.search.models import Renaming
from apps.catalog.search.tests.following import follow, note
from apps.catalog.search.tests.goods import make_goods
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def run(*, seconds: float, limit: str = "lock_timeout") -> int:
    """One run of a worker that waits for a fifth of a second only."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET {limit} = 200")
    return follow_renamings(until=time.monotonic() + seconds)


def rename(*brands: str) -> None:
    for name in brands:
        Brand.objects.filter(name=name).update(name=f"{name} Ltd")
    note()


def hold(*products: Product) -> None:
    list(
        Product.objects.filter(pk__in=[product.pk for product in products]).select_for_update()
    )


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_who_fails_takes_half_as_many_until_all_but_the_one_in_the_way_have_followed(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renaming, "_BATCH", 4)
    *free, held = [make_goods(f"Mug {n}", brand="Hardwick") for n in range(6)]
    follow()
    before = dict(Product.objects.values_list("pk", "search_version"))
    rename("Hardwick")
    with transaction.atomic():
        hold(held)
        for _ in range(5):  # the fourth can halve no further
            [found] = run_at_once([partial(run, seconds=5, limit=limit)])
            assert isinstance(found, OperationalError)
        assert Renaming.objects.get().done_up_to == free[-1].pk
        versions = dict(Product.objects.values_list("pk", "search_version"))
        assert {pk for pk in versions if versions[pk] > before[pk]} == {p.pk for p in free}
    assert follow() == 1


@pytest.fixture
def mug() -> Product:
    """Its brand has been renamed, and so has another one."""
    product = make_goods("Mug", brand="Hardwick")
    make_goods("Pot", brand="Acme")
    follow()
    rename("Hardwick", "Acme")
    return product


def test_a_product_that_somebody_holds_keeps_no_other_brand_from_its_new_name(
    mug: Product,
) -> None:
    with transaction.atomic():
        hold(mug)
        [found] = run_at_once([partial(run, seconds=5)])
        assert isinstance(found, OperationalError)
        assert Renaming.objects.get().brand_id == mug.brand_id
    assert follow() == 1


def test_what_was_in_the_way_in_one_run_comes_last_in_the_next(mug: Product) -> None:
    """Else those that wait for somebody would use up the time of every run."""
    with transaction.atomic():
        hold(mug)
        runs = 0
        while Renaming.objects.count() == 2:
            run_at_once([partial(run, seconds=0.1)])
            runs += 1
            assert runs < 10
        assert Renaming.objects.get().brand_id == mug.brand_id
