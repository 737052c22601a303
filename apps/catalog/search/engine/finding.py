"""A search, answered by the engine."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.catalog.search import boosts
from apps.catalog.search.engine import asking
from apps.catalog.search.engine.client import client, deadline, engine_name, until
from apps.catalog.search.engine.counting import are_all, are_exact, facets_of
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.engine.selecting import (
    IN_ORDER,
    MOST_FREQUENT,
    aggregations,
    all_but,
    attributes,
    selections_of,
)
from apps.catalog.search.parts import thing_of
from apps.catalog.search.postgres.asking import Clause, clauses_of
from apps.catalog.search.postgres.typos import as_meant
from apps.catalog.search.rules import Rules
from apps.catalog.search.wanted import DEEPEST, Found, Hit, Wanted, as_html_has_it
from apps.catalog.search.words import run_together, words_of, words_typed

_SORTS: Mapping[str, Sequence[Any]] = {
    "relevance": ["_score", {"created_at": "desc"}, {"id": "desc"}],
    "newest": [{"created_at": "desc"}, {"id": "desc"}],
    "name": [{"name.sort": "asc"}, {"id": "asc"}],
    "-name": [{"name.sort": "desc"}, {"id": "desc"}],
    "price": [{"prices": {"order": "asc", "mode": "min"}}, {"id": "asc"}],
    "-price": [{"prices": {"order": "desc", "mode": "min"}}, {"id": "desc"}],
}
_KNOCK_TIMEOUT = 0.4  # seconds, of a shopper whose turn it is to try
_MARKED = {"pre_tags": ["<mark>"], "post_tags": ["</mark>"], "encoder": "html"}
_HIGHLIGHT = {
    **_MARKED,
    "fields": {
        "name": {"number_of_fragments": 0},
        "description": {"number_of_fragments": 1, "fragment_size": 150},
    },
}


def search(wanted: Wanted, *, rules: Rules) -> Found:
    """What is found, with its facets. Raises what the client of the engine raises."""
    words = words_of(wanted.q)
    this = _Asking(wanted, rules, words)
    if not words:
        if wanted.q.strip():
            return Found(engine=engine_name())
        return _found(wanted, this.answer(_Tier(question=asking.everything())))
    for tier in this.tiers():
        answer = this.answer(tier)
        if answer["aggregations"]["about"]["doc_count"]:
            counted = this.counted(tier.question, answer)
            return _found(wanted, counted, relaxed=tier.is_relaxed, meant=tier.meant)
    return Found(engine=engine_name())


def knock() -> None:
    """Raises what the client does unless the engine searches, if only for nothing, at once."""
    impatient = client().options(request_timeout=_KNOCK_TIMEOUT)
    impatient.search(index=ALIAS, query={"match_none": {}}, size=0)


@dataclass(frozen=True, kw_only=True)
class _Tier:
    """How strictly the words are taken; chosen before anything is selected."""

    question: asking.Question
    is_relaxed: bool = True
    meant: str | None = None


class _Asking:
    """One search: as many questions as it takes, in the time of one."""

    def __init__(self, wanted: Wanted, rules: Rules, words: Sequence[str]) -> None:
        self._wanted, self._rules, self._words = wanted, rules, words
        self._deadline = deadline()

    def tiers(self) -> Iterator[_Tier]:
        """The strictest one first; the next is made only if it is asked for."""
        words, groups = self._words, self._rules.synonyms
        q = self._wanted.q
        sku = run_together(words_typed(q))
        strict = asking.all_of(words, groups=groups, thing=thing_of(q), sku=sku)
        yield _Tier(question=strict, is_relaxed=False)
        clauses = clauses_of(words, groups=groups)
        if said := as_meant(q, clauses):
            words = words_of(said)
            if not words:  # they were meant as what says nothing
                return
            yield _Tier(
                question=asking.all_of(words, groups=groups, thing=thing_of(said)), meant=said
            )
            clauses = clauses_of(words, groups=groups)
        if len(clauses) > 1:
            question = asking.most_of(
                words, groups=groups, thing=thing_of(said or q), weights=_weights(clauses)
            )
            yield _Tier(question=question, meant=said)

    def answer(self, tier: _Tier) -> dict[str, Any]:
        """What the engine says. Facets are counted beside the selections, not after them."""
        wanted, question = self._wanted, tier.question
        words = words_of(tier.meant or wanted.q)
        factors = boosts.factors(words, rules=self._rules.boosts)
        is_ranked = wanted.sort == "relevance"
        selections = selections_of(wanted)
        on_sale = _on_sale(question)
        # All products of a large shop have too many: it would be asked twice.
        values = IN_ORDER if self._words else MOST_FREQUENT
        return self._ask(
            query=asking.ranked(on_sale, factors=factors) if is_ranked else on_sale,
            post_filter=all_but(selections, None),
            aggs={
                "about": {"filter": question.about},
                **aggregations(wanted, selections),
                **attributes(selections, values),
            },
            sort=list(_SORTS[wanted.sort]),
            from_=(wanted.page - 1) * wanted.page_size,
            size=wanted.page_size,
            track_total_hits=DEEPEST,
            source={"includes": ["id", "name"]},
            highlight={**_HIGHLIGHT, "highlight_query": question.marked},
        )

    def counted(self, question: asking.Question, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer, with the most frequent values if there were more than it has."""
        if not are_all(answer["aggregations"]):
            values = attributes(selections_of(self._wanted), MOST_FREQUENT)
            frequent = self._ask(query=_on_sale(question), aggs=values, size=0)
            answer["aggregations"] |= frequent["aggregations"]
        return answer

    def _ask(self, **asked: Any) -> dict[str, Any]:
        # Who asks the same again, before the index changes, costs the engine half.
        answer = until(self._deadline).search(index=ALIAS, request_cache=True, **asked)
        return dict(answer)


def _on_sale(question: asking.Question) -> asking.Query:
    return {"bool": {"must": [question.query], "filter": [{"term": {"deleted": False}}]}}


def _weights(clauses: Sequence[Clause]) -> dict[str, float]:
    """How much each word says."""
    return {word: each.weight / len(each.words) for each in clauses for word in each.words}


def _found(
    wanted: Wanted,
    answer: Mapping[str, Any],
    *,
    relaxed: bool = False,
    meant: str | None = None,
) -> Found:
    hits = answer["hits"]
    return Found(
        hits=[_hit(hit) for hit in hits["hits"]],
        total=hits["total"]["value"],
        total_relation=hits["total"]["relation"],
        facets=facets_of(wanted, answer["aggregations"]),
        facets_are_exact=are_exact(answer["aggregations"]),
        engine=engine_name(),
        relaxed=relaxed,
        did_you_mean=meant,
    )


def _hit(hit: Mapping[str, Any]) -> Hit:
    source, marked = hit["_source"], hit.get("highlight", {})
    name, excerpt = marked.get("name"), marked.get("description", [""])
    return Hit(
        product_id=source["id"],
        name_html=as_html_has_it(name[0] if name else html.escape(source["name"])),
        excerpt_html=as_html_has_it(excerpt[0]),
    )
