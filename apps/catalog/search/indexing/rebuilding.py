"""A new index beside the one that is searched, filled, compared, and made live.

Shoppers and staff notice nothing. Killed anywhere, the next run drops what was left half done.
"""

import logging
import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from apps.catalog.models import Product
from apps.catalog.search.engine.document import entries
from apps.catalog.search.indexing import comparing, indexes, tombstones
from apps.catalog.search.indexing.writing import EngineAway, write_all
from apps.catalog.search.models import SearchIndex
from shop.ahead import read_ahead
from shop.alone import alone, is_taken

# The topic of the outbox by which somebody asks for a new index.
REBUILD_REQUESTED = "search.rebuild_requested"

_LOCK = 7_263_504  # any number that nothing else in this database locks
_CHECKS = 3
_TRIES = 6  # of a chunk, while the engine is away: about half a minute

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Show = Callable[[str, int, int], None]  # step, done, of


class AlreadyRunning(Exception):
    """Another process is at the indexes."""


class CannotRebuild(Exception):
    """The new index was dropped again; the one that is searched is as it was."""


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What became of it. Without a new index, `index` is the one that was there."""

    index: SearchIndex
    is_new: bool
    documents: int
    caught_up: int


def rebuild(
    *,
    clock: Clock,
    show: Show = lambda _step, _done, _of: None,
    if_changed: bool = False,
) -> Rebuilt:
    """Make a new index live; with `if_changed` only if the mapping is another one, or the
    index is gone. Else what differs in the old one is marked.

    Raises AlreadyRunning, CannotRebuild, Misconfigured, or what the engine's client raises.
    """
    with alone(_LOCK, waiting=_refuse):
        indexes.check_engine()
        _tidy_up(now=clock())
        live = indexes.live_index()
        if if_changed and live and live.mapping_hash == indexes.mapping_hash():
            found = comparing.compare(
                live.name,
                with_content=True,
                progress=lambda done, of: show("documents compared", done, of),
            )
            comparing.mark(found)
            return Rebuilt(
                index=live, is_new=False, documents=found.products, caught_up=found.different
            )
        return _build(clock=clock, show=show)


def is_running() -> bool:
    """Whether an index is just being made, or otherwise worked at."""
    return is_taken(_LOCK)


def roll_back(*, now: datetime) -> SearchIndex:
    """Search the index before the live one again; it was written to all the time.

    Raises CannotRebuild if there is none, and what the client does if it cannot be read: what
    is searched is then as it was.
    """
    with alone(_LOCK, waiting=_refuse):
        indexes.check_engine()
        _tidy_up(now=now)
        old = SearchIndex.objects.filter(state=SearchIndex.State.OLD)
        index = old.order_by("-retired_at").first()
        if index is None:
            raise CannotRebuild("There is no index to go back to.")
        # First a look: an index that cannot be read, as its data is lost, must not be searched.
        comparing.compare(index.name, with_content=False)
        indexes.make_live(index, now=now)
        comparing.mark(comparing.compare(index.name, with_content=False))
        index.refresh_from_db()
        return index


def prune(*, now: datetime) -> int:
    """Drop indexes that were kept long enough; returns how many. Raises AlreadyRunning."""
    with alone(_LOCK, waiting=_refuse):
        return _tidy_up(now=now) + indexes.drop_old(now=now)


def sweep_tombstones(*, wait: Callable[[], object]) -> int:
    """As tombstones.sweep, while nobody makes an index. Raises AlreadyRunning."""
    with alone(_LOCK, waiting=_refuse):
        return tombstones.sweep(wait=wait)


def _refuse() -> None:
    raise AlreadyRunning("Another process is making an index.")


def _tidy_up(*, now: datetime) -> int:
    """Drop what killed runs have left; returns how many indexes."""
    indexes.align(now=now)  # first: a run may have been killed after it made its index live
    return indexes.drop_unfinished(now=now) + indexes.sweep()


def _build(*, clock: Clock, show: Show) -> Rebuilt:
    index = indexes.begin_index(now=clock())
    try:
        indexes.make_index(index)
        documents = _fill(index, show)
        indexes.finish(index)
        caught_up = _catch_up(index, show, with_content=True)
        _check(index, show)
    except BaseException:
        _give_up(index, now=clock())
        raise
    indexes.make_live(index, now=clock())
    # Once more: a worker that had read the list of indexes before the new one was on it may
    # have been slow, and has written to the others alone.
    caught_up += _catch_up(index, show, with_content=False)
    indexes.drop_old(now=clock())
    index.refresh_from_db()
    return Rebuilt(index=index, is_new=True, documents=documents, caught_up=caught_up)


def _give_up(index: SearchIndex, *, now: datetime) -> None:
    """Drop it, if engine and database still answer; else the next run does."""
    try:
        indexes.drop(index, state=SearchIndex.State.FAILED, now=now)
    except Exception as error:  # noqa: BLE001 why it gave up matters more
        log.warning("search: %s is left to the next run: %s", index.name, error)


def _fill(index: SearchIndex, show: Show) -> int:
    """The next products are read while the engine writes these: a core for each."""
    total, done = Product.objects.count(), 0
    read = (entries(chunk, gone={}) for chunk in comparing.product_ids())
    with closing(read_ahead(read)) as chunks:
        for chunk in chunks:
            _patiently(partial(write_all, chunk, indexes=[index.name]))
            done += len(chunk)
            SearchIndex.objects.filter(pk=index.pk).update(documents=done)
            show("products read", done, max(total, done))
    return done


def _patiently(call: Callable[[], object]) -> None:
    """Again while the engine is away, longer and longer. Raises EngineAway at last."""
    for attempt in range(_TRIES):
        try:
            call()
        except EngineAway:
            if attempt == _TRIES - 1:
                raise
            time.sleep(2**attempt * random.uniform(0.5, 1))  # noqa: S311 only to spread them
        else:
            return


def _catch_up(index: SearchIndex, show: Show, *, with_content: bool) -> int:
    """Write what has changed and is not in it yet; how many products it were."""
    what = "documents compared" if with_content else "versions compared"
    found = comparing.compare(
        index.name,
        with_content=with_content,
        progress=lambda done, of: show(what, done, of),
    )
    _patiently(lambda: comparing.mend(index.name, found))
    return found.different


def _check(index: SearchIndex, show: Show) -> None:
    """What is dirty a worker is going to write; all else must be there, or be brought there."""
    for _ in range(_CHECKS):
        found = comparing.settled(
            index.name,
            with_content=False,
            progress=lambda done, of: show("versions compared", done, of),
            patience=1,
        )
        if not found.different:
            return
        comparing.mend(index.name, found)
    some = ", ".join(map(str, [*found.wrong, *found.too_many][:5]))
    raise CannotRebuild(
        f"{found.different} of {found.products} products cannot be brought into the new index, "
        f"among them {some}. It was dropped."
    )
