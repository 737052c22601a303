"""What may be meant by the first letters of a search."""

from typing import Any

from apps.catalog.search.engine.client import client, engine_name
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.engine.mapping import LONGEST_BEGINNING
from apps.catalog.search.postgres.suggesting import queries_like
from apps.catalog.search.wanted import Suggestions
from apps.catalog.search.words import words_typed


def suggest(text: str, *, limit: int) -> Suggestions:
    """Products that have all of it, and searches that begin like it and find something.

    The searches are made of the vocabulary, which is in PostgreSQL whatever the engine is.
    """
    words = words_typed(text)
    if not words:
        return Suggestions(engine=engine_name())
    begins = [_begins(part) for word in words for part in word.split("-")]
    answer = client().search(
        index=ALIAS,
        query={"bool": {"must": begins, "filter": [{"term": {"deleted": False}}]}},
        sort=[{"popularity": "desc"}, "_score", {"id": "desc"}],
        size=limit,
        source={"includes": ["id"]},
    )
    return Suggestions(
        queries=queries_like(text, limit=limit),
        product_ids=[hit["_source"]["id"] for hit in answer["hits"]["hits"]],
        engine=engine_name(),
    )


def _begins(word: str) -> dict[str, Any]:
    """One of its words begins like this one."""
    if len(word) > LONGEST_BEGINNING:
        return {"prefix": {"beginnings.whole": word}}
    return {"match": {"beginnings": {"query": word, "operator": "and"}}}
