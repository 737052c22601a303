"""The words of what people type, the same for both engines and for the shopkeeper's rules."""

import re
import unicodedata

# A title that somebody has pasted has fewer; what follows is not looked at.
MOST_WORDS = 40
# Letters: of a word that may be mistyped, and of one in which two slips are believed.
_SHORTEST, _LONGEST = 4, 40
_TWO_SLIPS = 8

# Hyphens join: a model number such as DIR-655 is one word.
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def words_of(text: str) -> list[str]:
    """Its words in lower case and without accents, in their order."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _WORD.findall(plain)[:MOST_WORDS]


def same_word(word: str) -> str:
    """A key that is the same of a word and its plural, where an “s” makes it."""
    return word.removesuffix("s") if len(word) > 3 else word


def slips_believed(word: str) -> int:
    """How many of its letters may be wrong, when no product has it: in none of a number, of a
    word so short that another letter makes another word, or of one that nobody types, for
    which an engine would look for seconds. Of parts with hyphens the shortest decides."""
    parts = word.split("-")
    shortest = min(map(len, parts))
    if not all(map(str.isalpha, parts)) or shortest < _SHORTEST or len(word) > _LONGEST:
        return 0
    return 2 if shortest >= _TWO_SLIPS else 1
