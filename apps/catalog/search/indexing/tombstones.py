"""Tombstones, deleted when nobody is left who could bring their products back."""

from collections.abc import Callable, Mapping
from typing import Any

from elasticsearch import helpers

from apps.catalog.models import Product
from apps.catalog.search.indexing.writing import patient, written_indexes
from shop.batches import batched

_CHUNK = 1000


def sweep(*, wait: Callable[[], object]) -> int:
    """Delete the tombstones of products that are no more from every index that is written;
    returns how many.

    Only who has read a product before it was deleted can bring it back. `wait` has to last
    until all who were writing when it was called have ended: their writes still find the
    tombstones, and are refused. One that is written meanwhile stays until the next time.
    Nobody may be making an index. Raises what the client does.
    """
    left = {index: _of_what_is_gone(index) for index in written_indexes()}
    if not any(left.values()):
        return 0
    wait()
    return sum(_delete(index, versions) for index, versions in left.items())


def _of_what_is_gone(index: str) -> dict[int, int]:
    """The versions of the tombstones whose products the database does not have. What is only
    unpublished has one, too, and keeps it."""
    patient().indices.refresh(index=index)
    asked: dict[str, Any] = {"query": {"term": {"deleted": True}}, "version": True}
    hits = helpers.scan(
        patient(), index=index, query=asked, size=_CHUNK, _source=False, scroll="1m"
    )
    versions = {int(hit["_id"]): int(hit["_version"]) for hit in hits}
    for chunk in batched(list(versions), size=_CHUNK):
        for pk in Product.objects.filter(pk__in=chunk).values_list("pk", flat=True):
            del versions[pk]
    return versions


def _delete(index: str, versions: Mapping[int, int]) -> int:
    """With their versions: what has been written anew since then stays."""
    deleted = 0
    for chunk in batched(versions.items(), size=_CHUNK):
        operations = [
            {"delete": {"_id": str(pk), "version": version, "version_type": "external_gte"}}
            for pk, version in chunk
        ]
        answer = patient().bulk(index=index, operations=operations)
        deleted += sum(item["delete"]["status"] == 200 for item in answer["items"])
    return deleted
