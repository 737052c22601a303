"""`seed_demo`: a shop that looks like one, made once."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.serializers import serialize
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Address, Customer, User
from apps.catalog.models import Brand, Category, Product, StockItem, StockMovement, Variant
from apps.catalog.search.searching import search
from apps.catalog.search.wanted import Wanted

MODELS: tuple[type[Model], ...] = (
    User,
    Customer,
    Address,
    Category,
    Brand,
    Product,
    Variant,
    StockItem,
    StockMovement,
)


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_ADMIN_PASSWORD", "for sue only")
    monkeypatch.setenv("DEMO_SHOPPER_PASSWORD", "for ada only")


def seed() -> str:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    return output.getvalue()


def everything() -> str:
    rows = [row for model in MODELS for row in model._default_manager.order_by("pk")]
    return str(serialize("json", rows))


@pytest.mark.django_db
class TestCatalogue:
    def test_fills_a_small_tree_of_categories(self) -> None:
        seed()
        assert Product.objects.published().count() == 60
        roots = Category.objects.filter(parent=None)
        assert {root.name for root in roots} == {"Kitchen", "Home", "Outdoors"}
        assert Counter(Product.objects.values_list("category__parent__name", flat=True)) == {
            "Kitchen": 20,
            "Home": 20,
            "Outdoors": 20,
        }

    def test_leaves_nothing_without_brand_description_or_price(self) -> None:
        seed()
        assert not Product.objects.filter(brand=None).exists()
        assert not Product.objects.filter(description="").exists()
        assert not Product.objects.filter(variants=None).exists()
        assert not Variant.objects.filter(price__lte=1).exists()

    def test_names_every_variant_of_a_product_that_has_several(self) -> None:
        seed()
        for product in Product.objects.prefetch_related("variants"):
            names = [variant.name for variant in product.variants.all()]
            assert len(set(names)) == len(names)
            assert len(names) == 1 or all(names), product

    def test_has_goods_in_plenty_some_nearly_gone_and_some_sold_out(self) -> None:
        seed()
        on_hand = list(StockItem.objects.values_list("on_hand", flat=True))
        assert sum(units <= 5 for units in on_hand) >= 10
        assert sum(units >= 50 for units in on_hand) >= 10
        assert Variant.objects.count() - Variant.objects.in_stock().count() >= 8

    def test_books_the_stock_as_receipts_that_explain_all_of_it(self) -> None:
        seed()
        booked = dict(StockMovement.objects.values_list("variant_id", "quantity"))
        assert booked == dict(StockItem.objects.values_list("variant_id", "on_hand"))
        assert set(StockMovement.objects.values_list("kind", flat=True)) == {"receipt"}


@pytest.mark.django_db
class TestPeople:
    def test_makes_an_admin_and_a_shopper_with_the_passwords_given(self) -> None:
        seed()
        admin = User.objects.get(email="admin@example.com")
        ada = User.objects.get(email="ada@example.com")
        assert admin.is_staff
        assert admin.is_superuser
        assert admin.check_password("for sue only")
        assert not ada.is_staff
        assert ada.check_password("for ada only")

    def test_makes_people_who_cannot_log_in_when_no_password_is_given(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DEMO_ADMIN_PASSWORD")
        monkeypatch.delenv("DEMO_SHOPPER_PASSWORD")
        seed()
        assert not any(user.has_usable_password() for user in User.objects.all())

    def test_replaces_a_password_by_the_one_given(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seed()
        monkeypatch.setenv("DEMO_ADMIN_PASSWORD", "a new one")
        seed()
        assert User.objects.get(email="admin@example.com").check_password("a new one")

    def test_keeps_a_password_when_none_is_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seed()
        monkeypatch.delenv("DEMO_ADMIN_PASSWORD")
        seed()
        assert User.objects.get(email="admin@example.com").check_password("for sue only")


@pytest.mark.django_db
class TestAgain:
    def test_changes_nothing(self) -> None:
        assert "135 variants" in seed()
        before = everything()
        assert "0 variants" in seed()
        assert everything() == before

    def test_keeps_what_somebody_edited(self) -> None:
        seed()
        Product.objects.filter(slug="larch-stoneware-mug").update(
            name="My Mug", is_published=False
        )
        Variant.objects.filter(sku="GRINDER-BLACK").update(price="1.23")
        seed()
        assert Product.objects.get(slug="larch-stoneware-mug").name == "My Mug"
        assert str(Variant.objects.get(sku="GRINDER-BLACK").price) == "1.23"
        assert Product.objects.count() == 60

    def test_brings_back_what_is_missing_and_only_that(self) -> None:
        seed()
        gone = Variant.objects.get(sku="OIL-RAPE")
        gone.delete()
        gone.product.delete()
        assert "1 variants" in seed()
        assert Product.objects.count() == 60


@pytest.mark.django_db
def test_takes_a_number_of_queries_that_does_not_grow_with_the_goods() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        seed()
    assert len(queries) < 40


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_gives_the_first_product_variant_and_address_the_id_1_in_a_fresh_shop() -> None:
    seed()
    variant = Variant.objects.on_sale().get(pk=1, product_id=1)
    assert variant.stock.available >= 1000
    address = Address.objects.get(pk=1)
    assert address.customer == Customer.objects.get(user__email="ada@example.com")


@pytest.mark.django_db
def test_a_typo_finds_something_at_once() -> None:
    call_command("seed_demo", verbosity=0)
    found = search(Wanted(q="stonewrae mug"))
    assert found.total > 0
    assert found.did_you_mean == "stoneware mug"
