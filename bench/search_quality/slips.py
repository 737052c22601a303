"""One typo in each word of a query, the same in every run."""

import hashlib
from string import ascii_lowercase

_SHORTEST = 4  # letters; nobody can say what a shorter word was, nor a number


def slip(query: str) -> str:
    """The query, typed in a hurry."""
    return " ".join(_slip(word) for word in query.split())


def _slip(word: str) -> str:
    """Two letters swapped, one left out, one twice, or another one: never the first."""
    if len(word) < _SHORTEST or not word.isalpha():
        return word
    draw = int.from_bytes(hashlib.sha256(word.encode()).digest())
    place = 1 + draw // 4 % (len(word) - 2)
    before, letter, rest = word[:place], word[place], word[place + 1 :]
    other = ascii_lowercase[(ascii_lowercase.find(letter) + 1 + draw // 1000 % 25) % 26]
    typed = (rest[0] + letter + rest[1:], rest, letter + letter + rest, other + rest)
    slipped = before + typed[draw % 4]
    # To swap two that are alike changes nothing.
    return slipped if slipped != word else before + rest
