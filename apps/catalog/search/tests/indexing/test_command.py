"""manage.py init_search: one clear line for each way in which it ends."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.catalog.models import Product
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.writing import patient
from apps.catalog.search.models import DirtyProduct, SearchIndex
from tests.builders import make_variant
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def said_by(*options: str) -> str:
    """Complaints included."""
    output = StringIO()
    call_command("init_search", *options, stdout=output, stderr=output)
    return output.getvalue()


def test_makes_it_verifies_it_and_goes_back(engine: str) -> None:
    for n in range(3):
        make_variant(f"SKU{n}")
    assert "\nproducts           3\n" in said_by()
    drain_batch()
    assert "missing, old or otherwise             0" in said_by("--verify")
    first = SearchIndex.objects.get()
    assert "Products that differed and will be written anew: 0." in said_by("--if-changed")
    said_by()
    assert said_by("--rollback") == f"{first.name} is searched again.\n"
    assert said_by("--prune") == "Indexes dropped: 0.\n"
    patient().delete(index=first.name, id=str(Product.objects.earliest("pk").pk))
    with pytest.raises(CommandError, match=r"Products that differ: \d+\.") as error:
        said_by("--verify")
    assert error.value.returncode == 1


def test_going_back_to_another_mapping_is_said_to_keep_changes_waiting(engine: str) -> None:
    said_by()
    SearchIndex.objects.update(mapping_hash="of before")
    said_by()
    assert "Its mapping is not that of this release" in said_by("--rollback")


def test_verify_says_what_waits_and_ends_with_1_if_it_waits_for_long(engine: str) -> None:
    make_variant("MUG")
    said_by()
    drain_batch()
    assert "waiting to be written                 0" in said_by("--verify")
    Product.objects.update(is_published=False)
    assert "waiting to be written                 1" in said_by("--verify")
    DirtyProduct.objects.update(dirty_since=timezone.now() - timedelta(minutes=6))
    with pytest.raises(CommandError, match="wait for more than 5 minutes: 1") as error:
        said_by("--verify")
    assert error.value.returncode == 1


def test_verify_compares_nothing_if_another_index_is_searched(engine: str) -> None:
    make_variant("MUG")
    said_by()
    said_by()
    old = SearchIndex.objects.get(state="old")
    patient().indices.update_aliases(
        actions=[
            {"remove": {"index": f"{ALIAS}-*", "alias": ALIAS}},
            {"add": {"index": old.name, "alias": ALIAS}},
        ]
    )
    with pytest.raises(CommandError, match=f"the one that is searched is {old.name}") as error:
        said_by("--verify")
    assert error.value.returncode == 1
    said_by("--if-changed")
    said_by("--verify")
    patient().indices.delete_alias(index=old.name, name=ALIAS)
    with pytest.raises(CommandError, match="the one that is searched is none"):
        said_by("--verify")


def test_without_an_engine_it_says_so_and_all_is_well(settings: Any) -> None:
    settings.SEARCH_URL = ""
    assert "PostgreSQL searches." in said_by()
    with pytest.raises(CommandError, match="Nothing to go back to"):
        said_by("--rollback")


def test_an_engine_that_does_not_answer_is_one_line(settings: Any) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="^The search engine: ") as error:
        said_by()
    assert error.value.returncode == 2
    assert "\n" not in str(error.value)


class EndsTheConnection(StringIO):
    """What the command writes to; at the first products it loses its connection, as when
    PostgreSQL is started anew."""

    def write(self, text: str) -> int:
        if "products read" in text:
            pid = backend()
            run_at_once([lambda: end(pid)])
        return super().write(text)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_database_that_ends_the_connection_is_one_line(engine: str) -> None:
    make_variant("MUG")
    (error,) = run_at_once([lambda: call_command("init_search", stdout=EndsTheConnection())])
    assert isinstance(error, CommandError)
    assert str(error).startswith("The database: ")
    assert "already closed" not in str(error)  # but why it is
    assert error.returncode == 2
    said_by()
    assert set(SearchIndex.objects.values_list("state", flat=True)) == {"failed", "live"}
