"""The admin's page of the indexes: readable whatever the engine does, and one button."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.catalog.search.models import SearchIndex
from shop.outbox.models import OutboxMessage
from tests.builders import NOON, make_staff, make_user

pytestmark = pytest.mark.django_db

PAGE = "/admin/search/searchindex/"


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_a_shop_without_an_engine_says_so_and_has_no_button(sue: Client) -> None:
    page = sue.get(PAGE).content.decode()
    assert "There is no search engine" in page
    assert "rebuild/" not in page
    assert sue.post(f"{PAGE}rebuild/").status_code == 403


def test_opens_while_the_engine_is_away(sue: Client, settings: Any) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    SearchIndex.objects.create(name="products-1", state="live", started_at=NOON, live_at=NOON)
    page = sue.get(PAGE).content.decode()
    assert "does not answer: PostgreSQL searches meanwhile" in page
    assert "products-1" in page


def test_the_button_asks_a_worker_and_only_by_post(sue: Client, settings: Any) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    assert sue.get(f"{PAGE}rebuild/").status_code == 405
    assert not OutboxMessage.objects.exists()
    assert sue.post(f"{PAGE}rebuild/").status_code == 302
    assert OutboxMessage.objects.get().topic == "search.rebuild_requested"


def test_who_may_only_look_has_no_button(client: Client, settings: Any) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    bob = make_user("bob@example.com", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_searchindex"))
    client.force_login(bob)
    assert "rebuild/" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}rebuild/").status_code == 403
    assert not OutboxMessage.objects.exists()
