"""The admin's page of the indexes: readable whatever the engine does, and one button."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.catalog.search.indexing import rebuilding
from apps.catalog.search.models import SearchIndex
from shop.alone import alone
from shop.outbox.models import OutboxMessage
from tests.builders import NOON, make_staff, make_user
from tests.concurrently import run_at_once

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


def test_tells_when_the_index_was_made_and_since_when_it_is_searched(
    sue: Client, settings: Any
) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    now = timezone.now()
    made_at, back_at = now - timedelta(days=20), now - timedelta(hours=1)
    index = SearchIndex.objects.create(
        name="products-1", state="live", mapping_hash="a", started_at=made_at, live_at=back_at
    )
    facts = sue.get(PAGE).context["facts"]
    assert facts["Live index made"] == f"{made_at:%d %b %Y, %H:%M}, 2\xa0weeks, 6\xa0days ago"
    assert facts["Searched since"] == f"{back_at:%d %b %Y, %H:%M}, 1\xa0hour ago"
    SearchIndex.objects.update(mapping_hash="")  # it had no row
    assert sue.get(PAGE).context["facts"]["Live index made"] == "unknown"
    index.delete()
    facts = sue.get(PAGE).context["facts"]
    assert facts["Live index made"] == facts["Searched since"] == "never"


def test_the_button_asks_a_worker_and_only_by_post(sue: Client, settings: Any) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    assert sue.get(f"{PAGE}rebuild/").status_code == 405
    assert not OutboxMessage.objects.exists()
    page = sue.post(f"{PAGE}rebuild/", follow=True).content.decode()
    assert "if none comes, the list of task failures says why" in page
    assert OutboxMessage.objects.get().topic == "search.rebuild_requested"


@pytest.mark.django_db(transaction=True)
def test_while_a_rebuild_runs_it_says_so_and_asks_for_no_second_one(
    sue: Client, settings: Any
) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"

    def look_and_ask() -> str:
        assert "A rebuild is running: reload" in sue.get(PAGE).content.decode()
        return sue.post(f"{PAGE}rebuild/", follow=True).content.decode()

    with alone(rebuilding._LOCK, waiting=lambda: None):
        (answer,) = run_at_once([look_and_ask])
    assert "A rebuild is running. No second one is asked for." in str(answer)
    assert not OutboxMessage.objects.exists()
    # What a killed run has left is none that runs.
    SearchIndex.objects.create(name="products-1", state="building", started_at=NOON)
    assert "Make the index anew" in sue.get(PAGE).content.decode()


def test_who_may_only_look_has_no_button(client: Client, settings: Any) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    bob = make_user("bob@example.com", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_searchindex"))
    client.force_login(bob)
    assert "rebuild/" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}rebuild/").status_code == 403
    assert not OutboxMessage.objects.exists()
