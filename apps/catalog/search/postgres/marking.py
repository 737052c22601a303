"""Where in a text the words of a search stand, and a phrase only where all of it does."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from apps.catalog.search.postgres.database import rows

Place = tuple[int, int]  # where it begins and where it has ended
Phrase = tuple[str, ...]  # stems, one after the other

# As search_plain takes them: HP364XL is a word, and hp, 364 and xl are.
_WORD = re.compile(r"[^\W_]+(?:(?<=\d)\.(?=\d)[^\W_]+)*")
_PART = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")

_STEMS = """
    SELECT asked.word, stems.found[1]
    FROM unnest(%(words)s::text[]) AS asked (word)
    CROSS JOIN LATERAL (SELECT tsvector_to_array(
        to_tsvector('pg_catalog.english', lower(unaccent(asked.word)))
    )) AS stems (found)
    WHERE cardinality(stems.found) = 1
"""


class _Part(NamedTuple):
    start: int
    end: int
    words: list[tuple[str, int]]  # that begin here, with the number of the part behind each


class Text:
    """A text and the words that it has."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[Place] = [found.span() for found in _WORD.finditer(text)]
        self._parts: list[_Part] = []
        for start, end in self.words:
            self._add(start, end)

    def _add(self, start: int, end: int) -> None:
        first, word = len(self._parts), self.text[start:end]
        if word.isalpha():  # as most are, and in long descriptions the time counts
            self._parts.append(_Part(start, end, [(word, first + 1)]))
            return
        for found in _PART.finditer(self.text, start, end):
            part = (found.group(), len(self._parts) + 1)
            self._parts.append(_Part(found.start(), found.end(), [part]))
        if len(self._parts) > first + 1:
            self._parts[first].words.append((word, len(self._parts)))

    def written(self) -> Iterable[str]:
        """Each word, and each part of one."""
        return (word for part in self._parts for word, _ in part.words)

    def places_of(
        self, phrases: Collection[Phrase], *, stems: Mapping[str, str]
    ) -> list[Place]:
        """Where the phrases stand, from left to right; the longest of those that begin at the
        same place. `stems` is what stems_of has said."""
        found: list[Place] = []
        behind = 0
        for number, part in enumerate(self._parts):
            if number >= behind and any(word in stems for word, _ in part.words):
                ends = (self._end(number, phrase, stems) for phrase in phrases)
                behind = max(ends, default=0)
                if behind:
                    _append(found, (part.start, self._parts[behind - 1].end))
        return found

    def _end(self, number: int, phrase: Phrase, stems: Mapping[str, str]) -> int:
        """The number of the part behind the phrase that begins here; 0 if none does."""
        reached = {number}
        for stem in phrase:
            reached = {
                behind
                for each in reached
                if each < len(self._parts)
                for word, behind in self._parts[each].words
                if stems.get(word) == stem
            }
        return max(reached, default=0)


def _append(found: list[Place], place: Place) -> None:
    """What touches is one: 3.5 and mm of 3.5mm."""
    if found and found[-1][1] == place[0]:
        found[-1] = found[-1][0], place[1]
    else:
        found.append(place)


def stems_of(texts: Iterable[Text], *, like: Collection[Phrase]) -> dict[str, str]:
    """The stem of each word that may have one of these: a stem begins like its word."""
    beginnings = {stem[:2] for phrase in like for stem in phrase}
    if not beginnings:
        return {}
    words = {
        word
        for text in texts
        for word in text.written()
        if word[:2].lower() in beginnings or not word[:2].isascii()
    }
    return dict(rows(_STEMS, {"words": list(words)})) if words else {}
