"""Where in a text the words of a search stand, and a phrase only where all of it does."""

import re
from collections.abc import Collection, Iterable, Iterator

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
        to_tsvector('pg_catalog.english', search_folded(asked.word))
    )) AS stems (found)
    WHERE cardinality(stems.found) = 1
"""


_Spot = tuple[int, int]  # the number of a word, and of a part of it


class Text:
    """A text and the words that it has."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[Place] = [found.span() for found in _WORD.finditer(text)]
        self.written: list[str] = _WORD.findall(text)


class Stems:
    """Which of the words of some texts have a stem of one of the phrases, as a whole or in
    part. Most have none, and long descriptions are many words: they are only looked up."""

    def __init__(self, texts: Iterable[Text], *, phrases: Collection[Phrase]) -> None:
        self._phrases: dict[str, list[Phrase]] = {}  # by the stem that they begin with
        for phrase in phrases:
            self._phrases.setdefault(phrase[0], []).append(phrase)
        words = {word for text in texts for word in text.written} if phrases else set()
        cuts = {word: _cut(word) for word in words}
        # A stem has the first letter of its word: that of dying is die.
        beginnings = {stem[:1] for phrase in phrases for stem in phrase}
        asked = {
            part
            for word, cut in cuts.items()
            for part in (word, *(word[start:end] for start, end in cut))
            if part[:1].lower() in beginnings or not part[:1].isascii()
        }
        self._stems = dict(rows(_STEMS, {"words": list(asked)})) if asked else {}
        self._cuts = {
            word: cut
            for word, cut in cuts.items()
            if word in self._stems or any(word[at:to] in self._stems for at, to in cut)
        }

    def places_in(self, text: Text) -> list[Place]:
        """Where the phrases stand, from left to right; the longest of those that begin at the
        same place."""
        found: list[Place] = []
        behind: _Spot = (0, 0)
        for number, word in enumerate(text.written):
            for part in range(len(self._cuts.get(word, ()))):
                spot = (number, part)
                if spot >= behind:
                    behind = max(self._ends(text, spot), default=(0, 0))
                    if behind > spot:
                        _append(found, (self._start(text, spot), self._stop(text, behind)))
        return found

    def _ends(self, text: Text, spot: _Spot) -> Iterator[_Spot]:
        """Where the phrases that may begin here have ended."""
        number, part = spot
        word = text.written[number]
        for begins in {word[slice(*self._cuts[word][part])], *([] if part else [word])}:
            for phrase in self._phrases.get(self._stems.get(begins, ""), ()):
                yield self._end(text, spot, phrase)

    def _end(self, text: Text, spot: _Spot, phrase: Phrase) -> _Spot:
        """Where the phrase has ended; (0, 0) if it does not stand here."""
        reached = {spot}
        for stem in phrase:
            reached = {end for each in reached for end in self._after(text, each, stem)}
        return max(reached, default=(0, 0))

    def _after(self, text: Text, spot: _Spot, stem: str) -> Iterator[_Spot]:
        number, part = spot
        word = text.written[number] if number < len(text.written) else ""
        cut = self._cuts.get(word, ())
        if part == 0 and self._stems.get(word) == stem:
            yield number + 1, 0
        if part < len(cut) and self._stems.get(word[slice(*cut[part])]) == stem:
            yield (number, part + 1) if part + 1 < len(cut) else (number + 1, 0)

    def _start(self, text: Text, spot: _Spot) -> int:
        number, part = spot
        return text.words[number][0] + self._cuts[text.written[number]][part][0]

    def _stop(self, text: Text, behind: _Spot) -> int:
        number, part = behind
        if part == 0:
            return text.words[number - 1][1]
        return text.words[number][0] + self._cuts[text.written[number]][part - 1][1]


def _cut(word: str) -> list[Place]:
    if word.isalpha():
        return [(0, len(word))]
    return [found.span() for found in _PART.finditer(word)]


def _append(found: list[Place], place: Place) -> None:
    """What touches is one: 3.5 and mm of 3.5mm."""
    if found and found[-1][1] == place[0]:
        found[-1] = found[-1][0], place[1]
    else:
        found.append(place)
