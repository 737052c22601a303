"""What was probably meant, as the engine knows the words of the catalogue."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from apps.catalog.search.engine.asking import LONGEST_MISTYPED, mentions
from apps.catalog.search.engine.document import ALIAS


def meant_by(words: Sequence[str], *, engine: Elasticsearch) -> str | None:
    """The words, the unknown ones as they are probably written; None if all are known.

    A word is known if it stands anywhere in a product, also where nobody looks for names.
    """
    if any(len(word) > LONGEST_MISTYPED for word in words):
        return None
    term = {
        "field": "spelling",
        "suggest_mode": "missing",
        "prefix_length": 1,
        "min_word_length": 3,
        "size": 10,
    }
    answer = engine.search(
        index=ALIAS,
        size=0,
        suggest={"words": {"text": " ".join(words), "term": term}},
        aggs={"known": {"filters": {"filters": {word: mentions(word) for word in words}}}},
    )
    known = answer["aggregations"]["known"]["buckets"]
    likeliest = {
        part["text"]: max(part["options"], key=_likelihood)["text"]
        for part in answer["suggest"]["words"]
        if part["options"]
    }
    meant = [word if known[word]["doc_count"] else likeliest.get(word, word) for word in words]
    return " ".join(meant) if meant != list(words) else None


def _likelihood(option: Mapping[str, Any]) -> float:
    """How like the word that was typed it is, and how usual in this catalogue."""
    return float(option["score"] ** 3 * math.log(2 + option["freq"]))
