"""Every page of the admin: who may open it, and at what cost."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.admin.rows import fill_shop
from tests.builders import PASSWORD, make_staff, make_user
from tests.statements import counted

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
ADDED_BY_HAND = {
    "accounts.User",
    "auth.Group",
    "catalog.Brand",
    "catalog.Category",
    "catalog.Product",
    "search.Boost",
    "search.EmptySearch",
    "search.Synonym",
}
NEVER_EMPTY = {"accounts.User", "accounts.Customer"}  # whoever looks is one
all_models = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)


def url_of(model: type[Model], page: str, *args: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)


def pages_of(model: type[Model]) -> list[str]:
    row = model._default_manager.first()
    assert row is not None
    pages = [url_of(model, "changelist"), url_of(model, "change", row.pk)]
    if model._meta.label in ADDED_BY_HAND:
        pages.append(url_of(model, "add"))
    return pages


def test_lists_what_a_shop_has_and_nothing_internal() -> None:
    labels = {model._meta.label for model in MODELS}
    assert labels > ADDED_BY_HAND
    assert {"orders.Order", "tasks.DeadLetter", "mail.OutgoingEmail"} < labels
    assert "django_celery_results.GroupResult" not in labels
    assert not {label for label in labels if label.startswith("token_blacklist.")}


@all_models
def test_opens_for_staff(client: Client, model: type[Model]) -> None:
    client.force_login(make_staff())
    fill_shop(range(1))
    for page in pages_of(model):
        assert client.get(page).status_code == 200, page


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if model._meta.label not in NEVER_EMPTY],
    ids=lambda model: model._meta.label,
)
def test_an_empty_list_offers_to_add_one_only_if_staff_may(
    client: Client, model: type[Model]
) -> None:
    model._default_manager.all().delete()
    client.force_login(make_staff())
    page = client.get(url_of(model, "changelist")).text
    assert f"No {model._meta.verbose_name_plural} yet." in page
    may_add = model._meta.label in ADDED_BY_HAND
    assert (f">Add {model._meta.verbose_name}</a>" in page) == may_add


def test_a_list_in_which_nothing_fits_has_the_way_back(client: Client) -> None:
    client.force_login(make_staff())
    fill_shop(range(1))
    page = client.get(reverse("admin:orders_order_changelist"), {"q": "nobody"}).text
    assert "Nothing fits this search and these filters." in page
    assert ">Show all orders</a>" in page


@all_models
def test_sends_a_shopper_to_the_login(client: Client, model: type[Model]) -> None:
    fill_shop(range(1))
    client.force_login(make_user("bob@example.com"))
    for page in pages_of(model):
        answer = client.get(page)
        assert answer.status_code == 302, page
        assert answer["Location"] == f"{reverse('admin:login')}?next={page}"


def test_leads_from_the_login_to_the_overview(client: Client) -> None:
    make_staff()
    typed = {"username": "sue@example.com", "password": PASSWORD}
    answer = client.post(reverse("admin:login"), typed)
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


@all_models
def test_has_no_page_to_add_what_only_the_shop_writes(
    client: Client, model: type[Model]
) -> None:
    client.force_login(make_staff())
    fill_shop(range(1))
    if model._meta.label not in ADDED_BY_HAND:
        assert client.get(url_of(model, "add")).status_code == 403


def statements_of_lists(client: Client, *, rows: int) -> dict[str, int]:
    numbers = {}
    for model in MODELS:
        with counted() as statements:
            answer = client.get(url_of(model, "changelist"))
        assert answer.context["cl"].result_count >= rows
        numbers[model._meta.label] = len(statements)
    return numbers


def test_lists_cost_the_same_however_long_they_are(client: Client) -> None:
    client.force_login(make_staff())
    fill_shop(range(3))
    few = statements_of_lists(client, rows=3)
    fill_shop(range(3, 30))
    assert statements_of_lists(client, rows=30) == few
    assert max(few.values()) <= 11


def test_the_first_page_costs_the_same_however_much_there_is(client: Client) -> None:
    client.force_login(make_staff())
    costs = []
    for numbers in (range(3), range(3, 30)):
        fill_shop(numbers)
        with counted() as statements:
            assert client.get(reverse("admin:index")).status_code == 200
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 28
