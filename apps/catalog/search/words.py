"""The words of what people type, the same for both engines and for the shopkeeper's rules."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

# A title that somebody has pasted has fewer; what follows is not looked at.
MOST_WORDS = 40
# Of a search longer than this no word is corrected, nor taken together with its neighbour: it
# is a title that was pasted, as it is written, and every such way of reading it costs time.
FEW = 8
# Of a word; no product has one that is longer.
MOST_LETTERS = 100
# Letters: of a word that may be mistyped, and of one in which two slips are believed.
_SHORTEST, _LONGEST = 4, 40
_TWO_SLIPS = 8

# Hyphens and decimal points join: DIR-655 is one word, and so are 15.6 and 3.5mm.
_WORD = re.compile(r"[^\W_]+(?:(?:-|(?<=\d)\.(?=\d))[^\W_]+)*")
_PARTS = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_TELLING = re.compile(r"[-\d]|[^\x00-\x7f]")
# A letter beside a number is mostly a unit, as in 5m.
_MODEL = re.compile(r"[^\W\d_]{2}\d|\d[^\W\d_]{2}|[^\W\d_][\d.]+[^\W\d_]|\d[^\W\d_]+\d")

# What PostgreSQL's “english” does not look for, which is the list of the Snowball project.
_COMMON = (
    "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself"
    " she her hers herself it its itself they them their theirs themselves what which who whom"
    " this that these those am is are was were be been being have has had having do does did"
    " doing a an the and but if or because as until while of at by for with about against"
    " between into through during before after above below to from up down in out on off over"
    " under again further then once here there when where why how all any both each few more"
    " most other some such no nor not only own same so than too very s t can will just don"
    " should now"
)
# What shoppers say besides of everything, and products of nothing: a screen has 27", no inch.
OF_SHOPPERS = frozenset(["best", "buy", "cheap", "cheapest", "inch", "inches", "sell"])
SAY_NOTHING = OF_SHOPPERS.union(_COMMON.split())


def words_of(text: str) -> list[str]:
    """Its words that say something, in lower case and without accents, in their order."""
    return [word for word in words_typed(text) if word not in SAY_NOTHING]


def words_typed(text: str) -> list[str]:
    """All of its words in lower case and without accents, in their order."""
    return list(islice(_words(text), MOST_WORDS))


def also_written(text: str) -> Iterator[str]:
    """How its words may be written as well, as PostgreSQL's `search_plain` has it: DIR-655 as
    dir655, HP364XL as hp 364 xl; and as somebody types them, where an engine folds its letters
    otherwise."""
    # All others, which are most of a catalogue's words, are written in one way.
    telling = " ".join(filter(_TELLING.search, text.split()))
    composed = unicodedata.normalize("NFC", telling).lower()
    as_they_are = {part for word in _WORD.findall(composed) for part in word.split("-")}
    for word in _words(telling):
        parts = word.split("-")
        if len(parts) > 1:
            yield "".join(parts)
        for part in parts:
            if _MODEL.search(part):
                yield " ".join(_PARTS.findall(part))
            if part not in as_they_are:
                yield part


def _words(text: str) -> Iterator[str]:
    if text.isascii():  # nothing to fold
        for word in _WORD.findall(text.lower()):
            yield word[:MOST_LETTERS].rstrip("-.")
        return
    visible = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    for word in _WORD.findall(_without_accents(visible.casefold(), form="NFD")):
        yield from _WORD.findall(_without_accents(word, form="NFKD")[:MOST_LETTERS])


def ways_of(word: str) -> list[tuple[str, ...]]:
    """How it may be written as well, itself first: DIR-655, DIR655 and DIR 655 are one, and
    so are USB3 and USB 3.0."""
    if "-" in word:
        return [tuple(word.split("-")), (word.replace("-", ""),)]
    parts = _PARTS.findall(word)
    cuts = range(1, len(parts)) if len(parts) <= 4 else ()
    halves = (("".join(parts[:cut]), "".join(parts[cut:])) for cut in cuts)
    ways = [(word,), *halves, tuple(parts)]
    versions = [(*way[:-1], f"{way[-1]}.0") for way in ways if re.fullmatch(r"\d", way[-1])]
    return list(dict.fromkeys([*ways, *versions]))


def may_be_one(one: str, two: str) -> bool:
    """Whether neighbours may be written as one: smart watch, HD 4646; but not 27 15."""
    return "-" not in one + two and any(map(str.isalpha, (one, two)))


def run_together(words: Iterable[str]) -> str:
    """Their letters and digits alone: ICE-1399, ICE 1399 and ice1399 are one SKU."""
    return "".join(words).replace("-", "").replace(".", "")


def slips_believed(word: str) -> int:
    """How many of its letters may be wrong, when no product has it: in none of a number, of a
    word so short that another letter makes another word, or of one that nobody types."""
    if not word.isalpha() or not _SHORTEST <= len(word) <= _LONGEST:
        return 0
    return 2 if len(word) >= _TWO_SLIPS else 1


def _without_accents(text: str, *, form: Literal["NFD", "NFKD"]) -> str:
    """Of Latin and Greek letters alone, since a й without its mark is another letter, and of ё:
    as PostgreSQL's unaccent."""
    kept: list[str] = []
    for letter in unicodedata.normalize(form, text):
        if not (unicodedata.combining(letter) and kept and _loses_marks(kept[-1])):
            kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).replace("ё", "е")  # noqa: RUF001


def _loses_marks(letter: str) -> bool:
    return letter.isascii() or "α" <= letter.lower() <= "ω"  # noqa: RUF001
