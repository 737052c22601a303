"""What is dirty is brought to the indexes; without any there is nothing to keep."""

import time

import pytest
from django.db import transaction

from apps.catalog.models import Category, Product
from apps.catalog.search.indexing.renaming import follow_renamings
from apps.catalog.search.models import DirtyProduct, Renaming
from tasks.search import index_products
from tests.builders import make_variant
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_marks_do_not_pile_up_in_a_shop_without_an_index() -> None:
    for n in range(3):
        make_variant(f"SKU{n}")
    assert index_products() == 3
    assert not DirtyProduct.objects.exists()


def test_products_follow_a_renamed_category() -> None:
    product = make_variant("MUG").product
    before = Product.objects.get(pk=product.pk).search_version
    Category.objects.update(name="Scullery")
    ends_at = time.monotonic() + 30
    while Renaming.objects.exists():  # until what else runs in this server has ended
        index_products()
        assert time.monotonic() < ends_at
    assert Product.objects.get(pk=product.pk).search_version == before + 1


def test_a_renaming_that_waits_for_a_product_holds_up_no_mark() -> None:
    product = make_variant("MUG").product
    Category.objects.update(name="Scullery")
    assert follow_renamings(until=0) == 0  # only seen; who locks a product later is no writer
    with transaction.atomic():
        Product.objects.select_for_update().get(pk=product.pk)
        assert run_at_once([index_products]) == [1]
    assert Renaming.objects.exists()
