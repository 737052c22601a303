"""Writers at work, workers killed, init_search twice: then every index equals the database."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from apps.catalog import inventory
from apps.catalog.inventory import OutOfStock
from apps.catalog.models import Category, Product, StockItem, StockMovement, Variant
from apps.catalog.search.engine.document import entries
from apps.catalog.search.indexing import comparing, indexes, rebuilding
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.rebuilding import CannotRebuild
from apps.catalog.search.indexing.renaming import follow_renamings
from apps.catalog.search.indexing.writing import write, written_indexes
from apps.catalog.search.models import DirtyProduct, Renaming, SearchIndex
from apps.catalog.search.tests.indexing.lateness import AT_LAST
from shop.clock import database_time
from tests.builders import NOON, make_variant
from tests.pipeline import worker_environment
from tests.servers import figures

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

_WORKERS, _WRITERS = 2, 3
_QUIET = "quiet"  # the category of the products that change only once


class Writers:
    """Staff and shoppers, each in a thread, until it is closed."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(seed,)) for seed in range(_WRITERS)
        ]
        self._threads.append(threading.Thread(target=self._change_each_once))
        self.changes = 0

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _work(self, seed: int) -> None:
        rng = random.Random(seed)
        changes = (_create, _rename, _rename_all, _publish, _reprice, _move_stock, _delete)
        n = 0
        while not self._over.wait(0.02):
            n += 1
            # They meet at the same rows: who loses simply comes again.
            with suppress(DatabaseError, OutOfStock, Product.DoesNotExist):
                rng.choice(changes)(rng, f"{seed}-{n}")
                self.changes += 1
        connections.close_all()

    def _change_each_once(self) -> None:
        """What changes again and again hides what was lost in between; these do not."""
        for product in Product.objects.filter(category__slug=_QUIET):
            if self._over.wait(0.02):
                break
            Product.objects.filter(pk=product.pk).update(name=f"Changed {product.name}")
        connections.close_all()


def _any_product(rng: random.Random) -> Product:
    loud = Product.objects.exclude(category__slug=_QUIET)
    ids = list(loud.values_list("pk", flat=True))
    return Product.objects.get(pk=rng.choice(ids))


def _create(rng: random.Random, name: str) -> None:
    make_variant(f"SKU-{name}", on_hand=rng.randrange(9))


def _rename(rng: random.Random, name: str) -> None:
    Product.objects.filter(pk=_any_product(rng).pk).update(name=f"Thing {name}")


def _rename_all(rng: random.Random, name: str) -> None:
    """Seldom all products of a category at once, else one of them."""
    if rng.random() < 0.05:
        Category.objects.exclude(slug=_QUIET).update(name=f"Room {name}")
    else:
        _rename(rng, name)


def _publish(rng: random.Random, _name: str) -> None:
    Product.objects.filter(pk=_any_product(rng).pk).update(is_published=rng.random() < 0.6)


def _reprice(rng: random.Random, _name: str) -> None:
    Variant.objects.filter(product=_any_product(rng)).update(price=rng.randrange(1, 99))


def _move_stock(rng: random.Random, name: str) -> None:
    for variant in Variant.objects.filter(product=_any_product(rng)):
        inventory.reserve({variant.pk: rng.randrange(1, 5)}, reference=name, now=NOON)


def _delete(rng: random.Random, _name: str) -> None:
    product = _any_product(rng)
    variants = Variant.objects.filter(product=product)
    if not StockMovement.objects.filter(variant__in=variants).exists():
        StockItem.objects.filter(variant__in=variants).delete()
        variants.delete()
        product.delete()


@contextmanager
def workers_that_die() -> Iterator[list[int]]:
    """Real processes. Each lives a second or so; yields the ids of those that were killed."""
    over = threading.Event()
    killed: list[int] = []
    command = [sys.executable, "-m", "apps.catalog.search.tests.indexing.a_worker"]
    environment = worker_environment() | {"SEARCH_URL": os.environ["SEARCH_URL"]}

    def keep_killing(seed: int) -> None:
        rng = random.Random(seed)
        while not over.is_set():
            worker = subprocess.Popen(command, env=environment)  # noqa: S603 ours
            over.wait(rng.uniform(4, 8))
            worker.kill()
            worker.wait()
            killed.append(worker.pid)

    threads = [threading.Thread(target=keep_killing, args=(n,)) for n in range(_WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield killed
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=60)


def _rebuild() -> None:
    """It may refuse while a late worker writes and writes, and is then asked again."""
    for attempt in range(3):
        try:
            rebuilding.rebuild(clock=timezone.now)
        except CannotRebuild:
            if attempt == 2:
                raise
        else:
            return


def _make_live_slowly(
    index: SearchIndex, *, now: datetime, make_live: Any = indexes.make_live
) -> None:
    """So that the last look comes when every worker knows of the index, as in a larger shop."""
    others = [name for name in written_indexes() if name != index.name]
    make_live(index, now=now)
    time.sleep(AT_LAST)
    _write_as_the_slowest_worker(others)


def _write_as_the_slowest_worker(known: list[str]) -> None:
    """It has asked which indexes there are before the new one was on the list."""
    with transaction.atomic():  # so that no other worker has the product
        _make_quiet_products(1)
        claimed = DirtyProduct.objects.claim(limit=1000, now=database_time())
    if known:
        write(entries(list(claimed), gone=claimed), indexes=known)
    DirtyProduct.objects.settle(claimed)


def _make_quiet_products(number: int) -> None:
    quiet, _ = Category.objects.get_or_create(slug=_QUIET, name="Quiet")
    products = Product.objects.bulk_create(
        Product(name=f"Quiet {n}", slug=f"quiet-{uuid4()}", category=quiet)
        for n in range(number)
    )
    Variant.objects.bulk_create(
        Variant(product=product, sku=f"QUIET{product.pk}", price=1) for product in products
    )


def test_every_index_equals_the_database_after_all_of_it(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_URL", engine)
    Category.objects.create(slug="kitchen", name="Kitchen")
    for n in range(60):
        make_variant(f"SKU{n}", on_hand=n % 9)
    _make_quiet_products(600)
    while drain_batch():  # there is no index yet
        pass
    started = time.monotonic()
    monkeypatch.setattr(indexes, "make_live", _make_live_slowly)
    with workers_that_die() as killed, Writers() as writers:
        time.sleep(2.5)  # until the workers have started
        for _ in range(2):
            _rebuild()
    # What they were refused does not count.
    assert writers.changes > 100
    assert Product.objects.filter(name__startswith="Changed").count() > 100
    while Renaming.objects.exists():
        follow_renamings(until=time.monotonic() + 5)
    # What the dead had claimed is free again.
    DirtyProduct.objects.update(claimed_until=None)
    while drain_batch():
        pass
    assert not DirtyProduct.objects.exists()
    figures.append(
        f"convergence: {writers.changes} changes, {len(killed)} workers killed, "
        f"{Product.objects.count()} products, {time.monotonic() - started:.0f} s"
    )
    states = dict(SearchIndex.objects.values_list("name", "state"))
    for name, state in states.items():
        if state in ("live", "old"):
            found = comparing.compare(name, with_content=True)
            assert (found.wrong, found.too_many) == ({}, {}), state
    assert sorted(set(states.values()) - {"failed"}) == ["live", "old"]
