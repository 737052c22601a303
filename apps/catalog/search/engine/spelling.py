"""What was probably meant, as the engine knows the words of the catalogue."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from apps.catalog.search.engine.asking import mentions
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.words import slips_believed


def meant_by(words: Sequence[str], *, engine: Elasticsearch) -> str | None:
    """The words, the unknown ones as they are probably written; None if all are known.

    A word is known if it stands anywhere in a product, also where nobody looks for names.
    """
    mistyped = [word for word in words if slips_believed(word)]
    answer = engine.search(
        index=ALIAS,
        size=0,
        suggest={word: {"text": word, "term": _like(word)} for word in mistyped},
        aggs={"known": {"filters": {"filters": {word: mentions(word) for word in mistyped}}}},
    )
    known = answer["aggregations"]["known"]["buckets"]
    likeliest = {
        word: max(options, key=_likelihood)["text"]
        for word in mistyped
        if not known[word]["doc_count"] and (options := _options(answer["suggest"][word]))
    }
    return " ".join(likeliest.get(word, word) for word in words) if likeliest else None


def _like(word: str) -> dict[str, Any]:
    return {
        "field": "spelling",
        "suggest_mode": "missing",
        "prefix_length": 1,
        "max_edits": slips_believed(word),
        "size": 10,
    }


def _options(tokens: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the word may be; nothing if it is none or several for the engine."""
    return [*tokens[0]["options"]] if len(tokens) == 1 else []


def _likelihood(option: Mapping[str, Any]) -> float:
    """How like the word that was typed it is, and how usual in this catalogue."""
    return float(option["score"] ** 3 * math.log(2 + option["freq"]))
