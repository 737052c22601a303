"""What the words of a search ask for: clauses, all of which must hold, of alternatives."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from apps.catalog.search import synonyms
from apps.catalog.search.parts import last_name
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.spellings import other_spelling
from apps.catalog.search.synonyms import Group, Term
from apps.catalog.search.words import FEW, may_be_one, ways_of

_LONGEST = 40  # letters of a word that may be two
_MOST = 8  # combinations of the spellings of some words

_STEMS = """
    SELECT
        asked.word,
        stems.stem,
        coalesce(counted.products, 0),
        EXISTS (SELECT FROM search_word WHERE word = plain.word),
        (SELECT products FROM search_stem WHERE stem = '')
    FROM unnest(%(words)s::text[]) AS asked (word)
    CROSS JOIN LATERAL (SELECT lower(unaccent(asked.word))) AS plain (word)
    LEFT JOIN LATERAL unnest(tsvector_to_array(to_tsvector('pg_catalog.english', plain.word)))
        AS stems (stem) ON true
    LEFT JOIN search_stem AS counted ON counted.stem = stems.stem
"""


@dataclass(frozen=True, kw_only=True)
class Stem:
    text: str
    rarity: float  # the fewer products have it, the more


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Stems that stand together: one after the other if it is a phrase."""

    stems: tuple[Stem, ...]
    is_phrase: bool = False


@dataclass(frozen=True, kw_only=True)
class Clause:
    """What one word of the search asks for, or several that belong together."""

    words: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    things: tuple[str, ...]  # stems of what it is, if it says what is looked for
    is_known: bool  # in the vocabulary, not only the halves that it may be cut into
    is_number: bool = False

    @property
    def weight(self) -> float:
        """How much it says: as much as its first alternative."""
        return sum(stem.rarity for stem in self.alternatives[0].stems)


@dataclass(frozen=True, kw_only=True)
class _Word:
    stems: tuple[Stem, ...]
    is_known: bool = False  # as it is written
    is_counted: bool = False  # each of its stems


class Vocabulary:
    """What is known of some words; one statement however many."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words: dict[str, _Word] = {}
        found = rows(_STEMS, {"words": sorted(set(words))})
        for word, stem, products, is_known, total in found:
            before = self._words.get(word, _Word(stems=(), is_counted=True))
            stems = before.stems
            if stem is not None:
                stems += (Stem(text=stem, rarity=_rarity(products, total or 0)),)
            self._words[word] = _Word(
                stems=stems, is_known=is_known, is_counted=before.is_counted and products > 0
            )
        self._words |= {word: self._as_rare(word, known) for word, known in self._words.items()}

    def _as_rare(self, word: str, known: _Word) -> _Word:
        """As the commoner of its spellings: what few write so would come first."""
        other = self._words.get(other_spelling(word) or "")
        if not other or not len(known.stems) == len(other.stems) == 1:
            return known
        rarity = min(known.stems[0].rarity, other.stems[0].rarity)
        return replace(known, stems=(replace(known.stems[0], rarity=rarity),))

    def typed(self, words: Sequence[str], *, is_phrase: bool) -> Alternative | None:
        """The words together, but for those that are too common to have stems."""
        stems = tuple(stem for word in words for stem in self._words[word].stems)
        return (
            Alternative(stems=stems, is_phrase=is_phrase and len(stems) > 1) if stems else None
        )

    def phrase(self, words: Sequence[str]) -> Alternative | None:
        """The words one after the other; None if one of them is too common to have a stem:
        7 is not what somebody wants who has typed i7."""
        has_all = all(self._words[word].stems for word in words)
        return self.typed(words, is_phrase=True) if has_all else None

    def has_as_one(self, pair: Iterable[str]) -> bool:
        """Whether a product has two words as one, be it as its SKU."""
        one = "".join(pair)
        return one in self._words and self._words[one].is_counted

    def has_halves(self, cut: Iterable[str]) -> bool:
        """Whether each is written somewhere."""
        return all(half in self._words and self._words[half].is_known for half in cut)

    def is_counted(self, alternative: Alternative) -> bool:
        return all(stem.rarity < _RAREST for stem in alternative.stems)


_RAREST = 12.0


def _rarity(products: int, total: int) -> float:
    if products == 0:
        return _RAREST
    return min(_RAREST - 0.01, math.log(1 + (total - products + 0.5) / (products + 0.5)))


def clauses_of(words: Sequence[str], *, groups: Sequence[Group]) -> tuple[Clause, ...]:
    """What the words ask for; words so common that they say nothing are left out."""
    swaps = list(synonyms.replaceable(words, groups=groups))
    terms = [(word,) for word in words] + [term for swap in swaps for term in swap.others]
    written = {part for term in terms for way in _ways(term) for part in way}
    # A title that was pasted is as it is written.
    few = words if len(words) <= FEW else ()
    pairs = {part for pair in _neighbours(few) for way in _ways_of_pair(pair) for part in way}
    halves = {half for word in few for cut in _cuts(word) for half in cut}
    vocabulary = Vocabulary(written | pairs | halves)
    spans = _spans(words, swaps, vocabulary)
    clauses = (clause for span in spans if (clause := _clause(span, vocabulary)))
    # A word that is said forty times asks for nothing new, and would be scored forty times.
    return tuple(dict.fromkeys(clauses))


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Neighbouring words, with the ways in which they may be said."""

    words: Term
    typed: tuple[Term, ...]  # in all spellings, itself first
    others: tuple[Term, ...]  # what means the same
    joined: tuple[Term, ...]  # as one with a neighbour
    cuts: tuple[Term, ...]  # into halves, which may have nothing to do with it


def _ways(term: Term) -> list[Term]:
    """How a term may be written, as it is typed first."""
    if len(term) == 1:
        return _in_all_spellings(ways_of(term[0]))
    return _in_all_spellings([tuple(part for word in term for part in word.split("-"))])


def _ways_of_pair(pair: Iterable[str]) -> list[Term]:
    """How neighbours may be written that stand somewhere as one."""
    return _in_all_spellings(ways_of("".join(pair)))


def _in_all_spellings(ways: list[Term]) -> list[Term]:
    spelt = (each for way in ways for each in islice(product(*map(_spellings, way)), _MOST))
    return list(dict.fromkeys(spelt))


def _spellings(word: str) -> list[str]:
    other = other_spelling(word)
    return [word, other] if other else [word]


def _neighbours(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    pairs = zip(words, words[1:], strict=False)
    return ((one, two) for one, two in pairs if may_be_one(one, two))


def _cuts(word: str) -> list[tuple[str, str]]:
    """Where a word may be two: mousepad."""
    if not word.isalpha() or len(word) > _LONGEST:
        return []
    return [(word[:place], word[place:]) for place in range(3, len(word) - 2)]


def _spans(
    words: Sequence[str], swaps: Sequence[synonyms.Replaceable], vocabulary: Vocabulary
) -> Iterator[_Span]:
    """The words from left to right, the longest of what belongs together first."""
    place = 0
    while place < len(words):
        length, others = synonyms.longest_at(place, swaps)
        span = tuple(words[place : place + length])
        around = words[max(place - 1, 0) : place + 2] if len(words) <= FEW else ()
        cuts = _cuts(span[0]) if length == 1 else []
        yield _Span(
            words=span,
            typed=(*_ways(span), *_otherwise(span, vocabulary)),
            others=tuple(way for other in others for way in _ways(other)),
            joined=_joined(span[0], around, vocabulary) if length == 1 else (),
            cuts=tuple(cut for cut in cuts if vocabulary.has_halves(cut)),
        )
        place += length


def _otherwise(span: Term, vocabulary: Vocabulary) -> Iterator[Term]:
    """Several words, two of which some product has as one, or one of which as two."""
    for place, word in enumerate(span if len(span) > 1 else ()):
        before, behind = span[:place], span[place + 1 :]
        if behind and vocabulary.has_as_one((word, behind[0])):
            yield (*before, word + behind[0], *behind[1:])
        for cut in filter(vocabulary.has_halves, _cuts(word)):
            yield (*before, *cut, *behind)


def _joined(word: str, around: Sequence[str], vocabulary: Vocabulary) -> tuple[Term, ...]:
    """The word as one with a neighbour, where a product has them so."""
    pairs = filter(vocabulary.has_as_one, _neighbours(around))
    return tuple(way for pair in pairs for way in _ways_of_pair(pair) if word not in way)


def _clause(span: _Span, vocabulary: Vocabulary) -> Clause | None:
    others = map(vocabulary.phrase, span.others)
    joined = map(_halved, _filled(map(vocabulary.phrase, span.joined)))
    said = _filled([*_typed(span, vocabulary), *others, *joined])
    if not said:
        return None
    cut = _filled(map(vocabulary.phrase, span.cuts))
    # What a thing is made for is known by its parts alone: of a make-up bag, make.
    parts = _filled([vocabulary.typed(span.typed[0], is_phrase=True)])
    return Clause(
        words=span.words,
        alternatives=(*said, *cut),
        things=tuple(last_name([stem.text for stem in each.stems]) for each in (*said, *parts)),
        is_known=any(map(vocabulary.is_counted, said)),
        is_number=all(word.isdigit() for word in span.words),
    )


def _typed(span: _Span, vocabulary: Vocabulary) -> list[Alternative | None]:
    """Words that were typed apart may stand apart; all else is one thing."""
    if len(span.words) > 1:
        return [vocabulary.typed(way, is_phrase=False) for way in span.typed]
    phrases = [*map(vocabulary.phrase, span.typed)]
    if any(each and vocabulary.is_counted(each) for each in phrases):
        return phrases
    # Of a word that nobody knows, what its parts say: as-new as new.
    return [vocabulary.typed(span.typed[0], is_phrase=True), *phrases]


def _halved(alternative: Alternative) -> Alternative:
    """As rare as half of it: the neighbour asks for it as well."""
    stems = (replace(stem, rarity=stem.rarity / 2) for stem in alternative.stems)
    return replace(alternative, stems=tuple(stems))


def _filled(alternatives: Iterable[Alternative | None]) -> tuple[Alternative, ...]:
    """Each once: a phrase of words that may stand apart as well asks for nothing new."""
    by_stems: dict[tuple[Stem, ...], Alternative] = {}
    for alternative in alternatives:
        if alternative:
            by_stems.setdefault(alternative.stems, alternative)
    return tuple(by_stems.values())
