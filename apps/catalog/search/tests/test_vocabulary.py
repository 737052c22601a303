"""The words that are counted: how much each says, and what a typo may have meant."""

import pytest

from apps.catalog.models import Product
from apps.catalog.search.models import Stem, Word
from apps.catalog.search.parts import PARTS
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.vocabulary import refresh_vocabulary

pytestmark = pytest.mark.django_db


def words() -> dict[str, int]:
    return dict(Word.objects.values_list("word", "products"))


def test_counts_the_products_on_sale_that_have_a_word() -> None:
    make_goods("Blue mugs", sku="A", description="A lantern.")
    make_goods("Blue pan 10", sku="B")
    secret = make_goods("Blue secret", sku="C")
    Product.objects.filter(pk=secret.pk).update(is_published=False)
    refresh_vocabulary()
    assert words() == {"blue": 2, "mugs": 1, "pan": 1, "kitchen": 2}
    stems = dict(Stem.objects.values_list("stem", "products"))
    assert (stems[""], stems["blue"], stems["mug"], stems["lantern"]) == (2, 2, 1, 1)
    assert "secret" not in stems


def test_a_second_count_writes_only_what_is_different() -> None:
    mug = make_goods("Blue mug", sku="A")
    assert refresh_vocabulary() > 0
    assert refresh_vocabulary() == 0
    Product.objects.filter(pk=mug.pk).update(name="Red mug")
    assert refresh_vocabulary() == 2
    assert words() == {"red": 1, "mug": 1, "kitchen": 1}


def test_postgresql_knows_the_words_for_parts() -> None:
    # It does not if parts.py has a word for which there is no migration.
    [(body,)] = rows("SELECT prosrc FROM pg_proc WHERE proname = 'search_for_what'", {})
    assert f"'{{{','.join(sorted(PARTS))}}}'" in body


def test_an_empty_shop_has_no_words() -> None:
    refresh_vocabulary()
    assert words() == {}
