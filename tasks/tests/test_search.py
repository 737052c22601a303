"""What is dirty is brought to the indexes; without any there is nothing to keep."""

import pytest

from apps.catalog.search.models import DirtyProduct
from tasks.search import index_products
from tests.builders import make_variant

pytestmark = pytest.mark.django_db(transaction=True)


def test_marks_do_not_pile_up_in_a_shop_without_an_index() -> None:
    for n in range(3):
        make_variant(f"SKU{n}")
    assert index_products() == 3
    assert not DirtyProduct.objects.exists()
