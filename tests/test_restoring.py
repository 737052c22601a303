"""A dump of the shop, restored into a fresh database, is a shop again: its triggers, too."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from apps.catalog.models import Brand, Category, Product
from deploy.embedded import Servers
from deploy.embedded.postgres import binaries
from tests.builders import make_variant
from tests.servers import DIRECTORY

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

Psql = Callable[[str], str]
RESTORED = "test_restored"


@pytest.fixture
def restored() -> Iterator[Psql]:
    """Runs statements in a database that was made from a dump of this one, as a restore does:
    without a search_path."""
    shop = make_variant("MUG", on_hand=20).product
    shop.brand = Brand.objects.create(name="Acme", slug="acme")
    shop.save()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {RESTORED}")
        cursor.execute(f"CREATE DATABASE {RESTORED}")
        try:
            dump = _program("pg_dump", str(connection.settings_dict["NAME"]))
            _program("psql", RESTORED, *_STRICTLY, stdin=dump)
            yield lambda statements: _program(
                "psql", RESTORED, *_STRICTLY, stdin=f"SET search_path TO '';{statements}"
            )
        finally:
            cursor.execute(f"DROP DATABASE {RESTORED} WITH (FORCE)")


_STRICTLY = ("-XAtq", "-v", "ON_ERROR_STOP=1")


def _program(name: str, database: str, *options: str, stdin: str = "") -> str:
    server = connection.settings_dict
    where = ["-h", server["HOST"], "-p", str(server["PORT"]), "-U", server["USER"]]
    command = [binaries(Servers(DIRECTORY).home) / name, *where, "-d", database, *options]
    done = subprocess.run(  # noqa: S603 PostgreSQL's own
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PGPASSWORD": server["PASSWORD"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_search_keeps_is_there_and_goes_on_following_the_products(restored: Psql) -> None:
    product = Product.objects.get()
    tables = ("catalog_product", "search_searchtext", "search_dirtyproduct")
    for table in tables:
        count = f"SELECT count(*) FROM public.{table}"  # noqa: S608 ours
        with connection.cursor() as cursor:
            cursor.execute(count)
            assert restored(count) == str(cursor.fetchone()[0]), table
    found = "SELECT product_id FROM public.search_searchtext WHERE words @@ 'beaker'"
    assert restored(found) == ""
    version = f"SELECT version FROM public.search_dirtyproduct WHERE product_id = {product.pk}"  # noqa: S608 ours
    before = int(restored(version))
    restored("UPDATE public.catalog_product SET name = 'Beaker'")
    assert restored(found) == str(product.pk)
    restored("UPDATE public.catalog_variant SET price = price + 1")
    restored("UPDATE public.catalog_stockitem SET reserved = on_hand")
    assert int(restored(version)) == before + 3
    restored("UPDATE public.catalog_category SET name = 'Scullery'")
    restored("UPDATE public.catalog_brand SET name = 'Acme Ltd'")
    assert restored("SELECT count(*) FROM public.search_renaming") == str(
        Category.objects.count() + Brand.objects.count()
    )
    restored(
        "DELETE FROM public.catalog_stockitem;"
        "ALTER TABLE public.catalog_stockmovement DISABLE TRIGGER USER;"
        "DELETE FROM public.catalog_stockmovement; DELETE FROM public.catalog_variant;"
        "DELETE FROM public.catalog_product"
    )
    assert restored("SELECT count(*) FROM public.search_searchtext") == "0"
    assert int(restored(version)) > before + 3
