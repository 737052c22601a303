"""Entries, written to indexes. Whoever comes late with an old version changes nothing."""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch, TransportError, helpers

from apps.catalog.search.engine.client import client, is_away
from apps.catalog.search.engine.document import Entry
from apps.catalog.search.models import DirtyProduct, SearchIndex

# Seconds for 500 products. A worker has few processes, and a frozen engine holds one so long;
# what makes a whole index has more patience.
WORKERS_TIMEOUT = 5.0
_REBUILDS_TIMEOUT = 30.0
# Seconds for what is no batch, as an index made or compared.
_PATIENCE = 30.0
# Of one request, in bytes: OpenSearch refuses what is more than a tenth of its memory, together
# with what others are just sending, and says no more than that it is busy.
_LARGEST = 5_000_000
# Products of one batch that each take longer alone, until it is the engine that does not write.
_SLOW_ENOUGH = 3
_STALE = 409
_TOO_LARGE = 413
_OVERLOADED = (429, 503)

Written = TypeVar("Written")

log = logging.getLogger(__name__)


class EngineAway(Exception):
    """The engine does not answer, or not now."""


class TooMuch(Exception):
    """The engine answers, but cannot take as much as this in one request."""


class TooSlow(TooMuch):
    """It did not say so; it has only taken too long."""


def written_indexes() -> list[str]:
    """The indexes that every change goes to, as they are in this moment."""
    rows = SearchIndex.objects.filter(state__in=SearchIndex.WRITTEN)
    return list(rows.order_by("pk").values_list("name", flat=True))


def indexes_in_state(*states: SearchIndex.State) -> set[str]:
    rows = SearchIndex.objects.filter(state__in=states)
    return set(rows.values_list("name", flat=True))


def write(
    entries: Sequence[Entry],
    *,
    indexes: Sequence[str],
    timeout: float = WORKERS_TIMEOUT,
    may_refuse: Collection[str] = (),
) -> set[int]:
    """Write all entries to all indexes, in one request if it is no large one; returns the
    products that an index refused, other than those that may.

    A refusal is logged. An index that has a newer version keeps it, which is no refusal.
    Raises EngineAway or TooMuch; some of it may be written then.
    """
    if not entries or not indexes:
        return set()
    written = helpers.streaming_bulk(
        client().options(request_timeout=timeout),
        (_action(entry, index) for entry in entries for index in indexes),
        max_chunk_bytes=_LARGEST,
        chunk_size=len(entries) * len(indexes),
        raise_on_error=False,
        timeout=_waits_for_its_shards(timeout),
    )
    try:
        results = [item["index"] for _, item in _within(2 * timeout, written)]
        return _refused(results, may_refuse)
    except (ApiError, TransportError) as error:
        raise _understood(error) from error


def _within(seconds: float, written: Iterable[Written]) -> Iterator[Written]:
    """Several requests that each take nearly too long are too much together: whoever has
    claimed the products must be done before the claim has run out."""
    until = time.monotonic() + seconds
    for item in written:
        if time.monotonic() > until:
            raise TooSlow("the engine needs too long for this")
        yield item


def write_all(entries: Sequence[Entry], *, indexes: Sequence[str]) -> None:
    """As write, but in halves of halves as far as the engine needs it. A product that it
    refuses, or cannot take alone, is logged, left out, and marked dirty.

    Raises EngineAway; TooSlow when it takes too long for several products alone: then it is
    not the products.
    """
    _write_halves(entries, indexes, slow=[])


def _write_halves(
    entries: Sequence[Entry], indexes: Sequence[str], *, slow: list[Entry]
) -> None:
    too_much = _try_to_write(entries, indexes)
    if too_much and len(entries) > 1:
        middle = len(entries) // 2
        _write_halves(entries[:middle], indexes, slow=slow)
        _write_halves(entries[middle:], indexes, slow=slow)
    elif too_much:
        log.error("search: product %d: %s", entries[0].product_id, too_much)
        _leave_out(entries)
        slow += entries if isinstance(too_much, TooSlow) else []
        if len(slow) == _SLOW_ENOUGH:
            raise too_much


def _try_to_write(entries: Sequence[Entry], indexes: Sequence[str]) -> TooMuch | None:
    """Write them, but for what is refused; or say that they are too much together."""
    try:
        refused = write(entries, indexes=indexes, timeout=_REBUILDS_TIMEOUT)
    except TooMuch as error:
        return error
    _leave_out(entry for entry in entries if entry.product_id in refused)
    return None


def _leave_out(entries: Iterable[Entry]) -> None:
    DirtyProduct.objects.mark({entry.product_id: entry.version for entry in entries})


def patient() -> Elasticsearch:
    """The client for what no shopper waits for."""
    return client().options(request_timeout=_PATIENCE)


def _waits_for_its_shards(timeout: float) -> str:
    """Less than we wait for the answer: else an engine that lacks a shard, and could say so,
    looks like one that has got too much."""
    return f"{timeout * 600:.0f}ms"


def _refused(results: Iterable[Mapping[str, Any]], may_refuse: Collection[str]) -> set[int]:
    refused: dict[tuple[str, str], list[int]] = {}
    for result in results:
        if result["status"] in _OVERLOADED and result["_index"] not in may_refuse:
            raise EngineAway(f"overloaded: {result['error']['type']}")
        if result["status"] != _STALE and "error" in result:
            what = (result["_index"], result["error"]["type"])
            refused.setdefault(what, []).append(int(result["_id"]))
    blocking = [ids for (index, _), ids in refused.items() if index not in may_refuse]
    for (index, reason), ids in refused.items():
        log.error(
            "search: %s refuses %d products, first %d: %s", index, len(ids), ids[0], reason
        )
    return {product_id for ids in blocking for product_id in ids}


def _action(entry: Entry, index: str) -> dict[str, Any]:
    # A tombstone is written like a document: of what is deleted the engine forgets the
    # version, and an old write would bring it back.
    return {
        "_index": index,
        "_id": str(entry.product_id),
        "version": entry.version,
        "version_type": "external_gte",
        "_source": entry.source,
    }


def _understood(error: ApiError | TransportError) -> Exception:
    if isinstance(error, ApiError) and error.meta.status == _TOO_LARGE:
        return TooMuch("the engine says that this is too large")
    if _took_too_long(error) and _answers():
        return TooSlow("the engine needs too long for this")
    return EngineAway(type(error).__name__) if is_away(error) else error


def _took_too_long(error: BaseException | None) -> bool:
    """To answer, or to read what it was sent: that is a broken connection to the client."""
    while error and not isinstance(error, ConnectionTimeout | TimeoutError):
        error = error.__cause__ or error.__context__
    return error is not None


def _answers() -> bool:
    try:
        client().info()
    except (ApiError, TransportError):
        return False
    return True
