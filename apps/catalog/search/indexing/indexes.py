"""The indexes themselves: made, made live, gone back to, and dropped.

Which one is live is said by the engine's alias, and the rows follow it: a process that was
killed between the two leaves rows that the next one mends.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from elasticsearch import ApiError, BadRequestError, NotFoundError, TransportError

from apps.catalog.search.engine.document import ALIAS, ProductDocument
from apps.catalog.search.indexing.writing import patient
from apps.catalog.search.models import SearchIndex

State = SearchIndex.State

# How long the index before the live one is kept, up to date, to go back to.
KEPT = timedelta(hours=24)
_PROBE = f"{ALIAS}-probe"


class Misconfigured(Exception):
    """The engine is set up in a way that would spoil the indexes."""


def mapping_hash() -> str:
    """Changes whenever an index has to be made anew."""
    text = json.dumps(ProductDocument._index.to_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def live_index() -> SearchIndex | None:
    return SearchIndex.objects.filter(state=State.LIVE).first()


def searched() -> list[str]:
    """The names of the indexes that the alias stands for: one, or none before the first."""
    try:
        return sorted(patient().indices.get_alias(name=ALIAS))
    except NotFoundError:
        return []


def begin_index(*, now: datetime) -> SearchIndex:
    """The row of a new index, to which every change goes from now on.

    It is first, so that no index is ever without one; until the index is there, what is
    written stays dirty.
    """
    fingerprint = mapping_hash()
    name = f"{ALIAS}-{fingerprint[:6]}-{now:%Y%m%d%H%M%S%f}"
    return SearchIndex.objects.create(name=name, mapping_hash=fingerprint, started_at=now)


def make_index(index: SearchIndex) -> None:
    """The index itself, empty, and searched by nobody."""
    body: dict[str, Any] = ProductDocument._index.to_dict()
    settings = {**body["settings"], "refresh_interval": "-1"}
    patient().indices.create(index=index.name, settings=settings, mappings=body["mappings"])


def finish(index: SearchIndex) -> None:
    """Bring it into one piece, and give it the settings of an index that is searched."""
    # In one piece facets are counted in four fifths of the time. What takes longer than we
    # wait the engine finishes by itself, and without it the index is as right.
    with suppress(ApiError, TransportError):
        patient().indices.forcemerge(index=index.name, max_num_segments=1)
    patient().indices.put_settings(index=index.name, settings={"refresh_interval": None})
    patient().indices.refresh(index=index.name)


def make_live(index: SearchIndex, *, now: datetime) -> None:
    """Search this one from now on: one call, and no search falls between two indexes."""
    _search_only(index.name)
    align(now=now)


def align(*, now: datetime) -> None:
    """Make the rows say what the alias says; an old index that is gone is dropped.

    Of several indexes that are searched one remains: only one can be live. One that has no row
    gets one; of its mapping nothing is known, so that it is soon made anew.
    """
    names, there = searched(), _there()
    if len(names) > 1:
        names = [_the_right_one(names)]
        _search_only(*names)
    with transaction.atomic():
        live = SearchIndex.objects.filter(state=State.LIVE)
        wrong = live.exclude(name__in=names)
        for row in wrong:
            SearchIndex.objects.filter(pk=row.pk).update(
                state=State.OLD if row.name in there else State.FAILED, retired_at=now
            )
        for name in names:  # after a backup was restored it may have no row
            unknown = {"mapping_hash": "", "started_at": now}
            SearchIndex.objects.get_or_create(name=name, defaults=unknown)
        SearchIndex.objects.filter(name__in=names).exclude(state=State.LIVE).update(
            state=State.LIVE, live_at=now, retired_at=None
        )
        old = SearchIndex.objects.filter(state=State.OLD)
        old.exclude(name__in=there).update(state=State.DROPPED)


def drop_unfinished(*, now: datetime) -> int:
    """Drop what a killed run has left half built; returns how many."""
    rows = list(SearchIndex.objects.filter(state=State.BUILDING))
    for row in rows:
        drop(row, state=State.FAILED, now=now)
    return len(rows)


def drop_old(*, now: datetime) -> int:
    """Drop all indexes that were live but the last, and that one when it was kept for long."""
    rows = SearchIndex.objects.filter(state=State.OLD).order_by("-retired_at", "-pk")
    outdated = [
        row
        for place, row in enumerate(rows)
        if place > 0 or row.retired_at is None or row.retired_at <= now - KEPT
    ]
    for row in outdated:
        drop(row, state=State.DROPPED, now=now)
    return len(outdated)


def drop(index: SearchIndex, *, state: State, now: datetime) -> None:
    """The row first, so that nobody writes to it any more. Killed in between, the next run
    drops it: `sweep`."""
    SearchIndex.objects.filter(pk=index.pk).update(state=state, retired_at=now)
    patient().indices.delete(index=index.name, ignore_unavailable=True)


def sweep() -> int:
    """Delete indexes of which the rows say that they are gone; returns how many."""
    gone = SearchIndex.objects.filter(state__in=[State.DROPPED, State.FAILED])
    names = set(gone.values_list("name", flat=True)) & set(_there())
    for name in names:
        patient().indices.delete(index=name, ignore_unavailable=True)
    return len(names)


def check_engine() -> None:
    """Raises Misconfigured if a write to an index that is gone would make it anew, with a
    guessed mapping; or if an index stands where the alias has to be."""
    try:
        patient().index(index=_PROBE, id="1", document={"made": "by accident"})
    except (NotFoundError, BadRequestError):
        pass
    else:
        patient().indices.delete(index=_PROBE, ignore_unavailable=True)
        raise Misconfigured(
            "The engine makes indexes by itself. Set action.auto_create_index: false there."
        )
    is_index = not patient().indices.exists_alias(name=ALIAS)
    if is_index and patient().indices.exists(index=ALIAS):
        raise Misconfigured(f"The engine has an index named {ALIAS}. Delete it.")


def _the_right_one(names: Sequence[str]) -> str:
    """The one that the rows call live, else the newest."""
    live = live_index()
    if live and live.name in names:
        return live.name
    return max(names, key=lambda name: name.rpartition("-")[2])  # when it was begun


def _search_only(name: str) -> None:
    others = [other for other in searched() if other != name]
    actions = [{"remove": {"index": other, "alias": ALIAS}} for other in others]
    actions.append({"add": {"index": name, "alias": ALIAS}})
    patient().indices.update_aliases(actions=actions)


def _there() -> list[str]:
    return sorted(patient().indices.get_alias(index=f"{ALIAS}-*"))
