"""An index against the database, both ways: what is missing, old, otherwise, or too much."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import helpers
from elasticsearch.serializer import JSONSerializer

from apps.catalog.models import Product
from apps.catalog.search.engine.document import Entry, entries
from apps.catalog.search.indexing.renaming import not_followed
from apps.catalog.search.indexing.writing import patient, write_all
from apps.catalog.search.models import DirtyProduct
from shop.ahead import read_ahead
from shop.batches import batched

CHUNK = 500
# Above every version that may still be on its way for a product that is gone.
_FAR = 1_000_000
_json = JSONSerializer()

Progress = Callable[[int, int], None]  # done, of


@dataclass(kw_only=True)
class Comparison:
    """How an index and the database differ. `wrong` and `too_many` have the index's versions,
    0 for a product that it lacks."""

    products: int = 0
    on_sale: int = 0
    wrong: dict[int, int] = field(default_factory=dict)
    too_many: dict[int, int] = field(default_factory=dict)

    @property
    def different(self) -> int:
        return len(self.wrong) + len(self.too_many)


def product_ids() -> Iterator[list[int]]:
    """The ids of all products, a chunk at a time in their order. Each chunk is a short look of
    its own: a long one would hold up the database's cleaning."""
    last = 0
    while True:
        ids = Product.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        chunk = list(ids[:CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1]


def compare(
    index: str, *, with_content: bool, progress: Progress = lambda _done, _of: None
) -> Comparison:
    """How the index differs from the database in this moment, changes on their way included.

    Versions tell it; `with_content` compares each document, too. Raises what the client does.
    """
    found = Comparison()
    patient().indices.refresh(index=index)
    known: set[int] = set()
    total = Product.objects.count()
    read = ((chunk, _wanted(chunk, with_content=with_content)) for chunk in product_ids())
    with closing(read_ahead(read)) as chunks:
        for chunk, wanted in chunks:
            found.products += len(wanted)
            found.on_sale += sum(not entry.source.get("deleted") for entry in wanted)
            found.wrong |= _wrong(index, wanted, with_content=with_content)
            known.update(chunk)
            progress(len(known), max(total, len(known)))
    found.too_many = _too_many(index, known)
    return found


def settled(
    index: str,
    *,
    with_content: bool,
    patience: int,
    progress: Progress = lambda _done, _of: None,
) -> Comparison:
    """As compare, without what differs only because it is just being written.

    Looks again, up to `patience` times a second apart, at what differed and neither is dirty
    nor waits for a new name of its brand or category.
    """
    found = compare(index, with_content=with_content, progress=progress)
    for _ in range(patience):
        if not found.different:
            break
        time.sleep(1)
        _look_again(index, found, with_content=with_content)
    return found


def mend(index: str, found: Comparison) -> None:
    """Write what differs anew, to this index alone. Raises EngineAway or TooSlow."""
    gone = _after(found.wrong | found.too_many)
    for chunk in batched(gone, size=CHUNK):
        write_all(entries(chunk, gone=gone), indexes=[index])


def mark(found: Comparison) -> None:
    """Mark what differs as dirty, so that all indexes get it anew."""
    DirtyProduct.objects.mark(found.wrong)
    DirtyProduct.objects.mark_gone(_after(found.too_many))


def _after(versions: dict[int, int]) -> dict[int, int]:
    return {product_id: version + _FAR for product_id, version in versions.items()}


def _wanted(chunk: Sequence[int], *, with_content: bool) -> list[Entry]:
    if with_content:
        return entries(chunk, gone={})
    rows = Product.objects.filter(pk__in=chunk).values_list("pk", "search_version")
    on_sale = set(Product.objects.filter(pk__in=chunk).on_sale().values_list("pk", flat=True))
    return [Entry(pk, version, {"deleted": pk not in on_sale}) for pk, version in rows]


def _wrong(index: str, wanted: Sequence[Entry], *, with_content: bool) -> dict[int, int]:
    if not wanted:
        return {}
    ids = [str(entry.product_id) for entry in wanted]
    answer = patient().mget(index=index, ids=ids, source=True if with_content else ["deleted"])
    wrong = {}
    for entry, document in zip(wanted, answer["docs"], strict=True):
        source = document.get("_source", {})
        expected = _json.loads(_json.dumps(entry.source))
        same = source == expected if with_content else source.items() <= expected.items()
        if not document.get("found") or document["_version"] != entry.version or not same:
            wrong[entry.product_id] = int(document.get("_version", 0))
    return wrong


def _too_many(index: str, known: Collection[int]) -> dict[int, int]:
    """What the index shows and the database does not have, with its version there."""
    unknown = {}
    shown: dict[str, Any] = {"query": {"term": {"deleted": False}}, "version": True}
    for hit in helpers.scan(
        patient(), index=index, query=shown, size=1000, _source=False, scroll="1m"
    ):
        if int(hit["_id"]) not in known:
            unknown[int(hit["_id"])] = int(hit["_version"])
    # Some may have been made since `known` was read.
    made = set(Product.objects.filter(pk__in=unknown).values_list("pk", flat=True))
    return {pk: version for pk, version in unknown.items() if pk not in made}


def _look_again(index: str, found: Comparison, *, with_content: bool) -> None:
    # In this order: what follows a new name in between is marked as dirty by then.
    waiting = not_followed()
    waiting |= set(DirtyProduct.objects.values_list("pk", flat=True))
    wrong: dict[int, int] = {}
    suspects = [pk for pk in found.wrong if pk not in waiting]
    for chunk in batched(suspects, size=CHUNK):
        wanted = _wanted(chunk, with_content=with_content)
        wrong |= _wrong(index, wanted, with_content=with_content)
    found.wrong = wrong
    if found.too_many:
        patient().indices.refresh(index=index)
        gone = _too_many(index, {pk for chunk in product_ids() for pk in chunk})
        found.too_many = {pk: version for pk, version in gone.items() if pk not in waiting}
