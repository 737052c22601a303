"""A renamed category or brand: all its products follow, also one that was just being saved."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import F

from apps.catalog.models import Brand, Category, Product
from apps.catalog.search.indexing import renaming
from apps.catalog.search.indexing.renaming import follow_renamings, not_followed
from apps.catalog.search.models import DirtyProduct, Renaming
from apps.catalog.search.tests.following import follow, note, wait_for_a_waiter
from apps.catalog.search.tests.goods import make_goods
from tests.clients import guest
from tests.concurrently import run_at_once
from tests.servers import figures

pytestmark = pytest.mark.django_db(transaction=True)


def total(q: str) -> int:
    found: int = guest().get("/api/catalog/search/", {"q": q}).json()["total"]
    return found


def clean() -> None:
    DirtyProduct.objects.all().delete()
    Renaming.objects.all().delete()


@pytest.fixture
def mug() -> Product:
    """On a shelf in a shelf, of a brand."""
    product = make_goods("Mug", brand="Hardwick", category="Cups")
    make_goods("Pot", brand="Other", category="Garage")
    kitchen = Category.objects.create(name="Kitchen", slug="kitchen")
    Category.objects.filter(slug="cups").update(parent=kitchen)
    follow()
    clean()
    return product


def rename_brand() -> None:
    Brand.objects.filter(slug="hardwick").update(name="Scullery")


def rename_the_inner_category() -> None:
    Category.objects.filter(slug="cups").update(name="Scullery")


def rename_the_outer_category() -> None:
    Category.objects.filter(slug="kitchen").update(name="Scullery")


def move_category() -> None:
    outer = Category.objects.create(name="Scullery", slug="scullery")
    Category.objects.filter(slug="cups").update(parent=outer)


RENAMINGS = [rename_brand, rename_the_inner_category, rename_the_outer_category, move_category]


@pytest.mark.parametrize("rename", RENAMINGS)
def test_the_products_of_what_is_renamed_are_found_by_the_new_name_and_marked(
    mug: Product, rename: Callable[[], None]
) -> None:
    rename()
    assert not_followed() == {mug.pk}
    assert follow() == 1
    assert total("scullery") == 1
    mug.refresh_from_db()
    assert dict(DirtyProduct.objects.values_list("pk", "version")) == {
        mug.pk: mug.search_version
    }
    assert follow() == 0


@pytest.mark.parametrize("rename", RENAMINGS[:3])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "moved"])
def test_a_product_that_is_not_yet_committed_beside_it_gets_the_new_name(
    mug: Product, rename: Callable[[], None], is_new: bool
) -> None:
    with transaction.atomic():
        if is_new:
            jug = make_goods("Jug", category="Cups", brand="Hardwick")
        else:
            jug = Product.objects.get(slug="pot")
            jug.category, jug.brand = mug.category, mug.brand
            jug.save()
        assert run_at_once([rename]) == [None]
        # Nobody but this transaction knows the product; all but this one know the new name.
        assert run_at_once([partial(follow_renamings, until=time.monotonic() + 1)]) == [0]
    DirtyProduct.objects.all().delete()  # as if a worker had written it, with the old name
    follow()
    assert total("scullery") == 2
    assert set(DirtyProduct.objects.values_list("pk", flat=True)) == {mug.pk, jug.pk}


def test_a_product_that_is_begun_after_the_renaming_and_before_its_end_gets_the_new_name(
    mug: Product,
) -> None:
    """Then no transaction with a higher number than that of the product has ended yet."""
    is_renamed, is_begun = threading.Event(), threading.Event()

    def rename_slowly() -> None:
        with transaction.atomic():
            rename_the_inner_category()
            is_renamed.set()
            assert is_begun.wait(10)

    renaming_thread = threading.Thread(target=lambda: run_at_once([rename_slowly]))
    renaming_thread.start()
    assert is_renamed.wait(10)
    with transaction.atomic():
        jug = make_goods("Jug", category="Kitchen")
        Product.objects.filter(pk=jug.pk).update(category=mug.category)
        is_begun.set()
        renaming_thread.join()
        assert run_at_once([partial(follow_renamings, until=time.monotonic() + 1)]) == [0]
    follow()
    assert total("scullery") == 2


def test_a_product_that_is_just_being_changed_keeps_its_change(mug: Product) -> None:
    rename_the_inner_category()
    note()
    follower = threading.Thread(target=lambda: run_at_once([follow]))
    with transaction.atomic():
        Product.objects.filter(pk=mug.pk).update(name="Beaker")
        follower.start()
        wait_for_a_waiter()
    follower.join()
    assert not Renaming.objects.exists()
    assert total("beaker") == total("scullery") == 1


def test_who_renames_waits_for_nobody_who_saves_a_product_and_holds_up_nobody(
    mug: Product,
) -> None:
    with transaction.atomic():
        Product.objects.filter(pk=mug.pk).update(name="Beaker")
        assert run_at_once([rename_the_inner_category]) == [None]
    with transaction.atomic():
        rename_brand()
        save = partial(Product.objects.filter(pk=mug.pk).update, name="Cup")
        assert run_at_once([save]) == [1]


def test_a_worker_goes_on_where_another_one_has_ended(
    mug: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renaming, "_BATCH", 1)
    make_goods("Jug", category="Cups")
    follow()
    versions = dict(Product.objects.values_list("pk", "search_version"))
    rename_the_inner_category()
    first = Renaming.objects.get()
    first.done_up_to = mug.pk
    first.save()
    assert follow() == 1
    mug.refresh_from_db()
    assert mug.search_version == versions[mug.pk]


def test_a_renaming_of_a_server_that_had_counted_further_is_followed_where_it_is_restored(
    mug: Product,
) -> None:
    """What is in a backup, or comes from the PostgreSQL before an upgrade."""
    rename_brand()
    note()
    Renaming.objects.update(horizon=F("horizon") + 5_000_000)
    note()
    assert follow() == 1


def test_an_edit_that_changes_nothing_and_a_category_that_is_gone_are_no_work(
    mug: Product,
) -> None:
    Category.objects.get(slug="cups").save()
    Brand.objects.get(slug="hardwick").save()
    assert not Renaming.objects.exists()
    empty = Category.objects.create(name="Empty", slug="empty")
    Category.objects.filter(pk=empty.pk).update(name="Emptier")
    empty.delete()
    assert follow() == 0


def test_a_restored_database_whose_search_path_is_empty_notes_a_renaming_as_well(
    mug: Product,
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO ''")
        for table in ("catalog_brand", "catalog_category"):
            cursor.execute(f"UPDATE public.{table} SET name = name || '!'")  # noqa: S608 ours
    assert Renaming.objects.count() == Brand.objects.count() + Category.objects.count()


def test_what_a_renaming_costs_is_printed(mug: Product) -> None:
    shelf = mug.category
    texts = {"description": "What it is like, in some more words. " * 20}
    Product.objects.bulk_create(
        Product(name=f"Cup {n}", slug=f"cup-{n}", category=shelf, **texts) for n in range(500)
    )
    started = time.monotonic()
    rename_the_inner_category()
    renamed = time.monotonic()
    assert follow() == 501
    took, following = renamed - started, time.monotonic() - renamed
    figures.append(
        f"renaming a category of 501 products: {took * 1000:.0f} ms, and {following:.1f} s "
        "of a worker's time"
    )
