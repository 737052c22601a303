"""Products in the admin: found by what people know of them, kept while they have history."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Brand, Category, Product, StockItem, Variant
from tests.builders import make_staff, make_variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def listed(sue: Client, **query: Any) -> list[str]:
    answer = sue.get(reverse("admin:catalog_product_changelist"), query)
    return [product.name for product in answer.context["cl"].result_list]


def form_of(product: Product, variants: list[Variant], **fields: Any) -> dict[str, Any]:
    """What a browser sends that changed nothing, and `fields` on top."""
    values: dict[str, Any] = {
        "name": product.name,
        "slug": product.slug,
        "category": product.category_id,
        "brand": "",
        "description": "",
        "is_published": "on",
        "variants-TOTAL_FORMS": len(variants),
        "variants-INITIAL_FORMS": len(variants),
    }
    for n, variant in enumerate(variants):
        values |= {
            f"variants-{n}-id": variant.pk,
            f"variants-{n}-product": product.pk,
            f"variants-{n}-sku": variant.sku,
            f"variants-{n}-name": variant.name,
            f"variants-{n}-price": variant.price,
            f"variants-{n}-is_active": "on",
        }
    return {**values, **fields}


def test_finds_products_by_name_and_sku(sue: Client) -> None:
    make_variant("MUG")
    make_variant("PAN-26", product=make_variant("PAN-20").product)
    assert listed(sue, q="pan-26") == ["Pan-20"]
    assert listed(sue, q="mug") == ["Mug"]
    assert listed(sue, q="kettle") == []


def test_says_why_a_slug_of_digits_is_refused(sue: Client) -> None:
    mug = make_variant("MUG")
    path = reverse("admin:catalog_product_change", args=[mug.product_id])
    answer = sue.post(path, form_of(mug.product, [mug], slug="1984"))
    assert "A slug needs a letter: without one it could be an id." in answer.content.decode()
    assert Product.objects.get().slug == "mug"


def test_filters_by_stock(sue: Client) -> None:
    make_variant("FULL", on_hand=6)
    make_variant("LOW", on_hand=5)
    make_variant("EMPTY")
    hidden = make_variant("INACTIVE", on_hand=9)
    Variant.objects.filter(pk=hidden.pk).update(is_active=False)
    assert listed(sue, stock="in") == ["Full", "Low"]
    assert listed(sue, stock="low") == ["Low"]
    assert listed(sue, stock="out") == ["Empty", "Inactive"]


def test_filters_by_category_with_all_that_is_inside_it(sue: Client) -> None:
    mug = make_variant("MUG").product
    cups = Category.objects.create(name="Cups", slug="cups", parent=mug.category)
    Product.objects.create(name="Cup", slug="cup", category=cups)
    other = Category.objects.create(name="Desk", slug="desk")
    Product.objects.create(name="Lamp", slug="lamp", category=other)
    assert listed(sue, shelf=mug.category_id) == ["Cup", "Mug"]
    assert listed(sue, shelf=cups.pk) == ["Cup"]


def test_filters_by_brand_and_published(sue: Client) -> None:
    brand = Brand.objects.create(name="Aldgate", slug="aldgate")
    mug = make_variant("MUG").product
    Product.objects.filter(pk=mug.pk).update(brand=brand)
    pan = make_variant("PAN").product
    Product.objects.filter(pk=pan.pk).update(is_published=False)
    assert listed(sue, brand__id__exact=brand.pk) == ["Mug"]
    assert listed(sue, is_published__exact=0) == ["Pan"]


def test_shows_categories_as_a_tree(sue: Client) -> None:
    kitchen = Category.objects.create(name="Kitchen", slug="kitchen")
    Category.objects.create(name="Desk", slug="desk")
    Category.objects.create(name="Cups", slug="cups", parent=kitchen)
    answer = sue.get(reverse("admin:catalog_category_changelist"))
    rows = [(row.name, row.tree_depth) for row in answer.context["cl"].result_list]
    assert rows == [("Desk", 0), ("Kitchen", 0), ("Cups", 1)]
    assert "└ Cups" in answer.content.decode()


def test_adds_a_product_with_its_variants(sue: Client) -> None:
    category = Category.objects.create(name="Kitchen", slug="kitchen")
    mug = Product(name="Mug", slug="mug", category=category)
    fields = {
        "variants-TOTAL_FORMS": 1,
        "variants-0-sku": "MUG",
        "variants-0-name": "Red",
        "variants-0-price": "9.50",
        "variants-0-is_active": "on",
    }
    answer = sue.post(reverse("admin:catalog_product_add"), form_of(mug, [], **fields))
    assert answer.status_code == 302
    assert Variant.objects.get().product.name == "Mug"


def test_refuses_a_sku_that_another_variant_has_in_other_letters(sue: Client) -> None:
    mug = make_variant("MUG")
    make_variant("PAN")
    url = reverse("admin:catalog_product_change", args=[mug.product_id])
    answer = sue.post(url, form_of(mug.product, [mug], **{"variants-0-sku": "pan"}))
    assert "Another variant has this SKU." in answer.content.decode()
    mug.refresh_from_db()
    assert mug.sku == "MUG"


def test_does_not_let_the_products_form_type_over_the_stock(sue: Client) -> None:
    mug = make_variant("MUG", on_hand=7)
    url = reverse("admin:catalog_product_change", args=[mug.product_id])
    typed = {"variants-0-available": 99, "variants-0-on_hand": 99, "variants-0-stock": 99}
    fields = {**typed, "variants-0-price": "11.00"}
    assert sue.post(url, form_of(mug.product, [mug], **fields)).status_code == 302
    mug.refresh_from_db()
    assert str(mug.price) == "11.00"
    assert StockItem.objects.get().on_hand == 7


def test_refuses_to_delete_a_product_that_has_variants_and_says_what_to_do(sue: Client) -> None:
    mug = make_variant("MUG", on_hand=7)
    url = reverse("admin:catalog_product_delete", args=[mug.product_id])
    assert "unpublish the product" in sue.get(url).content.decode()
    sue.post(url, {"post": "yes"})
    assert Product.objects.exists()


@pytest.mark.parametrize("shelf", ["category", "brand"])
def test_refuses_to_delete_a_shelf_that_has_products_and_says_what_to_do(
    sue: Client, shelf: str
) -> None:
    mug = make_variant("MUG").product
    mug.brand = Brand.objects.create(name="Fjordvik", slug="fjordvik")
    mug.save()
    url = reverse(f"admin:catalog_{shelf}_delete", args=[getattr(mug, shelf).pk])
    page = sue.get(url).content.decode()
    assert f"give its products another {shelf} first" in page
    assert "unpublish the product" not in page
    sue.post(url, {"post": "yes"})
    mug.refresh_from_db()
    assert getattr(mug, shelf)


def test_refuses_to_delete_a_variant_that_has_stock(sue: Client) -> None:
    mug = make_variant("MUG", on_hand=7)
    sue.post(reverse("admin:catalog_variant_delete", args=[mug.pk]), {"post": "yes"})
    url = reverse("admin:catalog_product_change", args=[mug.product_id])
    answer = sue.post(url, form_of(mug.product, [mug], **{"variants-0-DELETE": "on"}))
    assert answer.status_code == 200
    assert Variant.objects.exists()


@pytest.mark.parametrize(("action", "is_published"), [("publish", True), ("unpublish", False)])
def test_publishes_and_unpublishes_many(sue: Client, action: str, is_published: bool) -> None:
    chosen, other = make_variant("MUG").product, make_variant("PAN").product
    Product.objects.update(is_published=not is_published)
    url = reverse("admin:catalog_product_changelist")
    sue.post(url, {"action": action, "_selected_action": [chosen.pk]})
    chosen.refresh_from_db()
    other.refresh_from_db()
    assert (chosen.is_published, other.is_published) == (is_published, not is_published)
    assert LogEntry.objects.get().object_id == str(chosen.pk)
