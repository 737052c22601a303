"""What somebody may have meant who typed a word that no product has."""

from collections.abc import Iterable, Sequence

from apps.catalog.search.postgres.asking import Clause
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.postgres.matching import all_of
from apps.catalog.search.words import FEW, slips_believed, words_of, words_typed

# Of a short word in which two letters have changed places no trigram may be left: that is
# looked up.
_LIKE = """
    SELECT asked.word, known.word, known.products
    FROM unnest(%(words)s::text[], %(slips)s::int[]) AS asked (word, slips)
    CROSS JOIN LATERAL (
        SELECT word, products, similarity(word, asked.word) AS likeness FROM search_word
        WHERE length(word) BETWEEN length(asked.word) - asked.slips
                AND length(asked.word) + asked.slips
            AND similarity(word, asked.word) >= 0.2
        ORDER BY likeness DESC, products DESC
        LIMIT 60
    ) AS known
    UNION
    SELECT swapped.typed, known.word, known.products
    FROM unnest(%(typed)s::text[], %(swapped)s::text[]) AS swapped (typed, word)
    JOIN search_word AS known ON known.word = swapped.word
"""


def as_meant(q: str, clauses: Sequence[Clause]) -> str | None:
    """What was typed, with the likeliest known words for those that no product has; None if
    there is nothing to correct, and of a title that was pasted. `clauses` are those of `q`."""
    if len(words_of(q)) > FEW:
        return None
    # Who can be cut into two that stand somewhere is none that is mistyped.
    unknown = [
        one for one in clauses if not one.is_known and not all_of([one]).finds_something()
    ]
    parts = [part for each in unknown for word in each.words for part in word.split("-")]
    meant = meant_by(parts) if len(parts) <= FEW else {}
    said = (
        "-".join(meant.get(part, part) for part in word.split("-")) for word in words_typed(q)
    )
    return " ".join(said) if meant else None


def meant_by(words: Iterable[str]) -> dict[str, str]:
    """The likeliest known word for each; none for some."""
    asked = [word for word in words if slips_believed(word)]
    found: dict[str, list[tuple[int, int, str]]] = {}
    if asked:
        swapped = [(word, other) for word in asked for other in _swapped(word)]
        params = {
            "words": asked,
            "slips": [*map(slips_believed, asked)],
            "typed": [word for word, _ in swapped],
            "swapped": [other for _, other in swapped],
        }
        for word, known, products in rows(_LIKE, params):
            slips = slips_between(word, known)
            if slips <= slips_believed(word):
                found.setdefault(word, []).append((slips, -products, known))
    return {word: min(candidates)[2] for word, candidates in found.items()}


def _swapped(word: str) -> list[str]:
    """The word with each two neighbours the other way round."""
    places = range(len(word) - 1)
    return [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in places]


def slips_between(one: str, two: str) -> int:
    """Letters to leave out, add, change or swap with the next, to make one the other."""
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, start=1):
        previous, row = row, [i]
        for j, other in enumerate(two, start=1):
            cost = min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (two[j - 2], other):
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]
