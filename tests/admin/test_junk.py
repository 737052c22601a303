"""Whatever somebody types into the address of a page of the admin, the answer is no 500."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Product
from tests.admin.rows import fill_shop
from tests.admin.test_pages import all_models, url_of
from tests.builders import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# A word, a number that Python refuses to read, a byte that PostgreSQL refuses to take.
JUNK = ["abc", "9" * 4500, "\x00"]
# And a number that no column holds, what SQL could take for more than text, no day of any year.
SEARCHES = [*JUNK, "-1", "9" * 30, "%_'\\", "2026-02-30"]
OF_EVERY_LIST = ("o", "p", "pk", "pk__nonsense", "nonsense")


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    client.raise_request_exception = False
    fill_shop(range(2))
    return client


def parameters_of(sue: Client, model: type[Model]) -> Iterator[str]:
    """The name of everything that the list of this model reads from its address."""
    page = sue.get(url_of(model, "changelist")).context["cl"]
    for list_filter in page.filter_specs:
        yield from list_filter.expected_parameters()
    if page.date_hierarchy:
        yield from (f"{page.date_hierarchy}__{part}" for part in ("year", "month", "day"))
    yield from OF_EVERY_LIST


def queries_of(sue: Client, model: type[Model]) -> Iterator[tuple[str, str]]:
    for name in parameters_of(sue, model):
        yield from ((name, value) for value in [*JUNK, "9" * 30])
    yield from (("q", value) for value in SEARCHES)


def object_pages_of(model: type[Model], object_id: str) -> list[str]:
    """The address of every page and button that is about one row of this model."""
    names = [url.name for url in admin.site._registry[model].get_urls() if url.name]
    about_all = ("_changelist", "_add", "_import", "_export", "_try", "_rebuild")
    return [
        reverse(f"admin:{name}", args=[object_id])
        for name in names
        if not name.endswith(about_all)
    ]


def is_list_or_leads_to_it(answer: Any) -> bool:
    """Django sends away whoever filters by what cannot be, with a mark that he reads."""
    leads_to_it: bool = answer.status_code == 302 and answer.url.endswith("?e=1")
    return answer.status_code == 200 or leads_to_it


@all_models
def test_lists_whatever_the_filters_and_the_search_are(sue: Client, model: type[Model]) -> None:
    url = url_of(model, "changelist")
    broken = [
        (name, value[:40])
        for name, value in queries_of(sue, model)
        if not is_list_or_leads_to_it(sue.get(url, {name: value}))
    ]
    assert not broken


@pytest.mark.parametrize("method", ["get", "post"])
def test_exports_or_says_why_not_whatever_the_filters_and_the_search_are(
    sue: Client, method: str
) -> None:
    url = url_of(Product, "export")
    form = {} if method == "get" else {"format": "0", "resource": "0"}
    broken = [
        (name, value[:40])
        for name, value in queries_of(sue, Product)
        if getattr(sue, method)(f"{url}?{urlencode({name: value})}", form).status_code >= 500
    ]
    assert not broken


@all_models
@pytest.mark.parametrize("method", ["get", "post"])
def test_answers_whatever_the_id_is(sue: Client, model: type[Model], method: str) -> None:
    form: dict[str, Any] = {} if method == "get" else {"_form_submitted": "True", "post": "yes"}
    broken = [
        url[:80]
        for value in JUNK
        for url in object_pages_of(model, value)
        if getattr(sue, method)(url, form).status_code >= 500
    ]
    assert not broken


def test_still_filters_by_what_is_no_junk(sue: Client) -> None:
    product = Product.objects.order_by("pk").last()
    assert product is not None
    url = url_of(Product, "changelist")
    answer = sue.get(url, {"shelf": str(product.category_id)})
    assert list(answer.context["cl"].result_list) == [product]
