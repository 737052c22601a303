"""One product, by its id or its slug."""

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.models import Brand, Category, Product
from tests.builders import make_variant
from tests.clients import guest
from tests.statements import counted

pytestmark = pytest.mark.django_db

URL = "/api/catalog/products/{}/"


def test_is_found_by_id_and_by_slug() -> None:
    mug = make_variant("MUG", on_hand=2).product
    mug.description = "Keeps its color."
    mug.save()
    by_id, by_slug = guest().get(URL.format(mug.pk)), guest().get(URL.format("mug"))
    assert by_id.status_code == by_slug.status_code == 200
    assert by_id.json() == by_slug.json()
    body = by_id.json()
    assert body["description"] == "Keeps its color."
    assert body["variants"][0]["available"] == 2


@pytest.mark.parametrize("variants", [1, 30])
def test_takes_two_statements_however_many_variants_there_are(variants: int) -> None:
    mug = make_variant("MUG").product
    for n in range(1, variants):
        make_variant(f"MUG-{n}", product=mug)
    with counted() as statements:
        answer = guest().get(URL.format("mug"))
    assert len(answer.json()["variants"]) == variants
    assert len(statements) == 2, statements


def test_what_is_not_on_sale_is_not_found() -> None:
    hidden, retired = make_variant("HIDDEN"), make_variant("RETIRED")
    Product.objects.filter(pk=hidden.product_id).update(is_published=False)
    retired.is_active = False
    retired.save()
    for key in (hidden.product_id, "hidden", retired.product_id, "retired"):
        assert guest().get(URL.format(key)).status_code == 404


@pytest.mark.parametrize(
    "key", ["0", "-1", "no-such", "1e9", "NaN", "null", "true", "[]", "é", "%00", "a b"]
)
def test_an_unknown_key_is_not_found(key: str) -> None:
    make_variant()
    answer = guest().get(URL.format(key))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("key", [2**63 - 1, 2**63, 10**19, 10**30, "9" * 5000])
def test_an_impossible_id_is_not_found(key: int | str) -> None:
    assert guest().get(URL.format(key)).status_code == 404


@pytest.mark.parametrize("slug", ["1984", "9" * 20, "-", "20_26"])
@pytest.mark.parametrize("model", [Product, Category, Brand])
def test_nothing_has_a_slug_without_a_letter_that_could_be_an_id(
    model: type[Product | Category | Brand], slug: str
) -> None:
    make_variant()
    Brand.objects.create(name="Hardwick", slug="hardwick")
    with pytest.raises(IntegrityError, match="slug_has_a_letter"), transaction.atomic():
        model.objects.update(slug=slug)
    assert model.objects.update(slug="1984-a") == 1
