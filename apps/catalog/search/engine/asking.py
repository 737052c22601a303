"""What a search asks the engine for, from the strictest way to the most patient one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from apps.catalog.search.boosts import Factors
from apps.catalog.search.parts import Thing, last_name
from apps.catalog.search.spellings import other_spelling
from apps.catalog.search.synonyms import Group, Term, longest_at, replaceable
from apps.catalog.search.wanted import ENOUGH, FOR_IT, POPULAR, SOLD_OUT
from apps.catalog.search.words import FEW, may_be_one, ways_of, words_of

Query = dict[str, Any]

# What a word is worth where it stands, and how much the other places count beside the best
# one. Tuned on half of the judged queries: docs/search.md.
_FIELDS = ["name^10", "variants^6", "brand^4", "what_it_is^4", "description", "others^0.5"]
# What is typed as one word and stands there as two.
_PAIRS = ["name.pairs^5", "what_it_is.pairs^2", "others.pairs^0.2"]
_TIE_BREAKER = 0.5
# Who has it nowhere else comes last; as a field like the others it made rankings worse.
_SHELF, _SHELF_BOOST = "category_path", 0.1
_TELLING = ["name", "name.pairs", "variants", "brand", "what_it_is", "what_it_is.pairs", _SHELF]
_ALL: Query = {"match_all": {}}
_JOINED = 0.3  # of what the words would be worth: rare as it is, it would always come first
# Of writing all words together. An engine takes 1,024 clauses. Each way has 14, which are seven
# places in two parts of the query, and up to 2 more where a thing comes before its parts. Each
# of up to 40 words has another 6, of the pairs: 48 * 16 + 40 * 6 = 1,008.
_MOST_WAYS = 48


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is found; which of it is about what was asked, and does not only mention it; and
    what is marked in a text, for which all of the first would cost a third of the search."""

    query: Query
    about: Query
    marked: Query


def everything() -> Question:
    return Question(query=_ALL, about=_ALL, marked=_ALL)


def all_of(
    words: Sequence[str], *, groups: Sequence[Group], thing: Thing, sku: str = ""
) -> Question:
    """Each word, or what the shopkeeper says means the same; or else the product's SKU. What
    says what the `thing` is may count twice, and what is made for it half."""
    spans = _spans(words, groups)
    has_sku = {"term": {"skus": {"value": sku, "boost": 1000}}}
    words_said = {"bool": {"must": [_clause(span, thing) for span in spans]}}
    query = {"bool": {"should": [_things_first(words_said, spans, thing), has_sku]}}
    about = {"bool": {"should": [_telling(spans), has_sku]}}
    return Question(query=query, about=about, marked=_marked(spans))


def most_of(
    words: Sequence[str],
    *,
    groups: Sequence[Group],
    thing: Thing,
    weights: Mapping[str, float],
) -> Question:
    """Enough of what the words say; `weights` is how much each does, the rarer the more."""
    spans = _spans(words, groups)
    clauses = [_clause(span, thing) for span in spans]
    said = [sum(weights.get(word, 0) for word in span.typed) for span in spans]
    weighed = [
        {"constant_score": {"filter": clause, "boost": weight}}
        for clause, weight in zip(clauses, said, strict=True)
    ]
    enough = {
        "function_score": {
            "query": {"bool": {"should": weighed}},
            "min_score": ENOUGH * sum(said),
        }
    }
    words_said = {"bool": {"should": clauses, "filter": [enough]}}
    query = _things_first(words_said, spans, thing)
    return Question(query=query, about=_telling(spans), marked=_marked(spans))


def ranked(query: Query, *, factors: Factors) -> Query:
    """The query with what speaks for a product whatever is searched."""
    popular = {
        "function_score": {
            "query": query,
            "functions": [
                {"weight": 1},
                {
                    "field_value_factor": {
                        "field": "popularity",
                        "modifier": "ln1p",
                        "missing": 0,
                    },
                    "weight": POPULAR,
                },
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }
    return {
        "function_score": {
            "query": popular,
            "functions": [
                {"filter": {"term": {"in_stock": False}}, "weight": SOLD_OUT},
                *_boosts(factors),
            ],
            "score_mode": "multiply",
            "boost_mode": "multiply",
        }
    }


def _boosts(factors: Factors) -> Iterator[Query]:
    for name, by_id in (
        ("id", factors.products),
        ("brand_id", factors.brands),
        ("category_id", factors.categories),
    ):
        alike: dict[float, list[int]] = {}
        for key, factor in by_id.items():
            alike.setdefault(factor, []).append(key)
        for factor, keys in alike.items():
            yield {"filter": {"terms": {name: keys}}, "weight": factor}


@dataclass(frozen=True, kw_only=True)
class _Word:
    typed: str
    ways: tuple[str, ...]  # that it may be written in; what was typed first
    joined: frozenset[str]  # those of them that are one with a neighbour


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Words that were typed, all of which must be there; or else one of the others."""

    words: tuple[_Word, ...]
    others: tuple[str, ...]  # what means the same, in all ways of writing it

    @property
    def typed(self) -> Term:
        return tuple(word.typed for word in self.words)

    @property
    def ways(self) -> tuple[str, ...]:
        return (*(way for word in self.words for way in word.ways), *self.others)


def _spans(words: Sequence[str], groups: Sequence[Group]) -> list[_Span]:
    """Each once: what is said forty times asks for nothing new."""
    joined = _joined(words)
    spans = [
        _Span(
            words=tuple(_word(word, joined[word]) for word in typed),
            others=_all_written(others),
        )
        for typed, others in dict.fromkeys(_from_left_to_right(words, groups))
    ]
    share = _share(spans)
    return [_cut(span, share) for span in spans]


def _joined(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each as one with its neighbours: who asks for a smart watch means a smartwatch, too."""
    joined: dict[str, dict[str, None]] = {word: {} for word in words}
    for one, two in zip(words, words[1:], strict=False):
        if len(words) <= FEW and may_be_one(one, two):
            joined[one][one + two] = joined[two][one + two] = None
    return {word: tuple(ones) for word, ones in joined.items()}


def _from_left_to_right(
    words: Sequence[str], groups: Sequence[Group]
) -> Iterator[tuple[Term, tuple[Term, ...]]]:
    """What is typed, the longest of what has synonyms together, and the synonyms."""
    swaps = list(replaceable(words, groups=groups))
    place = 0
    while place < len(words):
        length, others = longest_at(place, swaps)
        yield tuple(words[place : place + length]), tuple(others)
        place += length


def _word(typed: str, joined: tuple[str, ...]) -> _Word:
    ways = (*_written((typed,)), *joined)
    return _Word(typed=typed, ways=ways, joined=frozenset(joined))


def _written(term: Term) -> list[str]:
    """How a term may be written, as it is first; one of several words is one thing."""
    return [" ".join(way) for way in (ways_of(*term) if len(term) == 1 else [term])]


def _all_written(terms: Sequence[Term]) -> tuple[str, ...]:
    """How the terms may be written; each as it is before the other ways, which may be cut."""
    ways = zip_longest(*map(_written, terms))
    return tuple(dict.fromkeys(way for together in ways for way in together if way))


def _share(spans: Sequence[_Span]) -> int:
    """How many ways each word has, so that all words together have no more than they may."""
    lengths = [(len(span.ways), len(span.words)) for span in spans]
    for share in range(_MOST_WAYS, 1, -1):
        if sum(min(ways, share * words) for ways, words in lengths) <= _MOST_WAYS:
            return share
    return 1


def _cut(span: _Span, share: int) -> _Span:
    """With so many ways for each of its words; what means the same has what they leave."""
    words = tuple(replace(word, ways=word.ways[:share]) for word in span.words)
    left = share * len(words) - sum(len(word.ways) for word in words)
    return replace(span, words=words, others=span.others[:left])


def _clause(span: _Span, thing: Thing) -> Query:
    # Words that were typed apart may stand apart, as without a synonym; all else is one thing.
    typed = {"bool": {"must": [_word_said(word, thing) for word in span.words]}}
    counts = thing.counts(span.typed)
    others = [clause for way in span.others for clause in _said(way, counts)]
    return {"dis_max": {"queries": [typed, *others]}}


def _word_said(word: _Word, thing: Thing) -> Query:
    counts = [_JOINED if way in word.joined else 1 for way in word.ways]
    said = [clause for each in zip(word.ways, counts, strict=True) for clause in _said(*each)]
    if word.typed.isalpha():
        said.append({"multi_match": {"query": word.typed, "fields": _PAIRS}})
    return {"dis_max": {"queries": said, "boost": thing.counts([word.typed])}}


def _said(text: str, counts: float) -> Iterator[Query]:
    """One word wherever it stands; several as a phrase."""
    kind = {"type": "phrase"} if " " in text else {"type": "best_fields"}
    yield {
        "multi_match": {
            "query": text,
            "fields": _FIELDS,
            "tie_breaker": _TIE_BREAKER,
            "boost": counts,
            **kind,
        }
    }
    shelf = {"match_phrase": {_SHELF: text}}
    yield {"constant_score": {"filter": shelf, "boost": _SHELF_BOOST * counts}}


def _things_first(query: Query, spans: Sequence[_Span], thing: Thing) -> Query:
    """A laptop before a laptop lock, as in PostgreSQL."""
    named = _only(spans, lambda word: thing.is_said_by([word]))
    ways = [way for span in named for way in span.ways]
    things = [last_name(words_of(way) or [way]) for way in ways]
    if not things:
        return query
    others = filter(None, map(other_spelling, things))
    made_for_it = [{"match": {"for_what": name}} for name in (*things, *others)]
    return {
        "boosting": {
            "positive": query,
            "negative": {"bool": {"should": made_for_it}},
            "negative_boost": FOR_IT,
        }
    }


def _telling(spans: Sequence[_Span]) -> Query:
    """A number alone says nothing: 8 is not what an iPhone 8 is about."""
    return _any_of(_only(spans, lambda word: not word.isdigit()) or spans, _TELLING)


def _only(spans: Sequence[_Span], is_wanted: Callable[[str], bool]) -> list[_Span]:
    """The spans with those of their words that are wanted, if there is one."""
    kept = [(span, tuple(w for w in span.words if is_wanted(w.typed))) for span in spans]
    return [replace(span, words=words) for span, words in kept if words]


def _marked(spans: Sequence[_Span]) -> Query:
    return _any_of(spans, ["name", "description"])


def _any_of(spans: Sequence[_Span], fields: Sequence[str]) -> Query:
    """Any word in one of the fields, whatever it is worth there."""
    said = [
        {"multi_match": {"query": way, "fields": fields, "type": "phrase"}}
        for span in spans
        for way in span.ways
    ]
    return {"bool": {"should": said}}
