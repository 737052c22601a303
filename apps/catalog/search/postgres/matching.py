"""Which products a search finds, in tiers, as conditions in SQL; and how well each fits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.catalog.search.parts import UNSAID, Thing
from apps.catalog.search.postgres.asking import Alternative, Clause
from apps.catalog.search.postgres.database import Params, rows
from apps.catalog.search.wanted import ENOUGH, FOR_IT

ON_SALE_TEXTS = """
    search_searchtext AS text
    JOIN catalog_product AS product ON product.id = text.product_id
        AND product.is_published
        AND EXISTS (
            SELECT FROM catalog_variant AS offer
            WHERE offer.product_id = product.id AND offer.is_active
        )
"""
_FIT = """
    ts_rank('{{0, 0, 0, 1}}', read.words, %(stem{number})s::tsquery) / read.longer_name
    + ts_rank('{{0.02, 0.2, 0.1, 0}}', read.words, %(stem{number})s::tsquery) / read.more_text
    AS fit{number}
"""
# Of a name, the longer it is the less; of the rest, the more there is the less. Tuned on the
# half of the judged queries that docs/search.md names; the 0.025 with all of them in view.
# OFFSET 0 keeps PostgreSQL from working out anew, for each alternative that asks, what it can
# once a row: the words, which are taken out of where it keeps long values, and each stem's fit.
_SCORE = """(
    SELECT {score}
    FROM (
        SELECT
            text.words || '' AS words,
            (1 + 0.025 * text.name_length)::float8 AS longer_name,
            1 + 0.3 * ln(1 + length(text.words)) AS more_text
        OFFSET 0
    ) AS read
    CROSS JOIN LATERAL (SELECT {fits} OFFSET 0) AS fits
)"""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A condition on `text`, and the score of a product that meets it, both in SQL."""

    condition: str = "true"
    score: str = "1.0"
    params: Params = field(default_factory=dict)
    marked: frozenset[tuple[str, ...]] = frozenset()  # stems, those of a phrase together

    def finds_something(self) -> bool:
        """On sale, and about it: not only mentioned somewhere."""
        sql = f"""
            SELECT EXISTS (
                SELECT FROM {ON_SALE_TEXTS}
                WHERE {self.condition} AND text.words @@ %(subject)s::tsquery
            )
        """  # noqa: S608 all that is put in is ours
        return bool(rows(sql, self.params)[0][0])


def everything() -> Match:
    return Match()


def all_of(clauses: Sequence[Clause], *, thing: Thing = UNSAID) -> Match:
    """Products that have each of the clauses. What says what the `thing` is may count twice,
    and what is made for it half."""
    params = _params(clauses, thing) | {
        "all": _and(_any(clause.alternatives) for clause in clauses)
    }
    return Match(
        condition="text.words @@ %(all)s::tsquery",
        score=_score(clauses, thing),
        params=params,
        marked=_marked(clauses),
    )


def most_of(clauses: Sequence[Clause], *, thing: Thing) -> Match:
    """Products that have what most of the search says, or even all of it; as in `all_of`."""
    total = sum(clause.weight for clause in clauses)
    share = " + ".join(
        f"(text.words @@ %(clause{number})s::tsquery)::int * %(weight{number})s"
        for number in range(len(clauses))
    )
    params = _params(clauses, thing)
    for number, clause in enumerate(clauses):
        params[f"clause{number}"] = _any(clause.alternatives)
        params[f"weight{number}"] = clause.weight
    params |= {
        "some": _or(_any(each.alternatives) for each in _needed(clauses)),
        "enough": ENOUGH * total,
    }
    return Match(
        condition=f"text.words @@ %(some)s::tsquery AND {share} >= %(enough)s",
        score=_score(clauses, thing),
        params=params,
        marked=_marked(clauses),
    )


def _needed(clauses: Sequence[Clause]) -> list[Clause]:
    """The rarest ones: a product without any of them has not enough."""
    total = sum(clause.weight for clause in clauses)
    needed, weight = [], 0.0
    for clause in sorted(clauses, key=lambda one: -one.weight):
        needed.append(clause)
        weight += clause.weight
        if weight > (1 - ENOUGH) * total:
            break
    return needed


def _params(clauses: Sequence[Clause], thing: Thing) -> dict[str, Any]:
    named = (clause for clause in clauses if thing.is_said_by(clause.words))
    things = {stem for clause in named for stem in clause.things}
    params: dict[str, Any] = {"things": sorted(things)}
    for number, stem in enumerate(_all_stems(clauses)):
        params[f"stem{number}"] = _quoted(stem)
    for number, phrase in enumerate(_all_phrases(clauses)):
        params[f"phrase{number}"] = _asked(phrase)
    # A number alone says nothing: 8 is not what an iPhone 8 is about.
    about = [clause for clause in clauses if not clause.is_number] or clauses
    params["subject"] = _or(
        _asked(each, weights="ABC", apart=" | ")
        for clause in about
        for each in clause.alternatives
    )
    return params


def _score(clauses: Sequence[Clause], thing: Thing) -> str:
    """Of each clause the alternative that fits best; of a phrase nothing where it is none."""
    numbers = {stem: number for number, stem in enumerate(_all_stems(clauses))}
    phrases = {phrase: number for number, phrase in enumerate(_all_phrases(clauses))}

    def scored(alternative: Alternative) -> str:
        score = " + ".join(
            f"{stem.rarity:.3f} * fit{numbers[stem.text]}" for stem in alternative.stems
        )
        if not alternative.is_phrase:
            return score
        phrase = f"%(phrase{phrases[alternative]})s::tsquery"
        return f"CASE WHEN read.words @@ {phrase} THEN {score} ELSE 0 END"

    def best(clause: Clause) -> str:
        fits = ", ".join(map(scored, clause.alternatives))
        return f"{thing.counts(clause.words)} * greatest({fits})"

    score = _SCORE.format(
        score=" + ".join(map(best, clauses)),
        fits=", ".join(_FIT.format(number=number) for number in numbers.values()),
    )
    is_made_for_it = "text.for_what && %(things)s::text[]"
    return f"{score} * CASE WHEN {is_made_for_it} THEN {FOR_IT} ELSE 1 END"


def _all_stems(clauses: Sequence[Clause]) -> list[str]:
    return sorted(
        {stem.text for one in clauses for each in one.alternatives for stem in each.stems}
    )


def _all_phrases(clauses: Sequence[Clause]) -> list[Alternative]:
    phrases = (each for one in clauses for each in one.alternatives if each.is_phrase)
    return list(dict.fromkeys(phrases))


def _marked(clauses: Sequence[Clause]) -> frozenset[tuple[str, ...]]:
    marked: set[tuple[str, ...]] = set()
    for alternative in (each for one in clauses for each in one.alternatives):
        stems = tuple(stem.text for stem in alternative.stems)
        marked |= {stems} if alternative.is_phrase else {(stem,) for stem in stems}
    return frozenset(marked)


def _any(alternatives: Iterable[Alternative]) -> str:
    return _or(map(_asked, alternatives))


def _asked(alternative: Alternative, *, weights: str = "", apart: str = " & ") -> str:
    between = " <-> " if alternative.is_phrase else apart
    return f"({between.join(_quoted(stem.text, weights) for stem in alternative.stems)})"


def _and(parts: Iterable[str]) -> str:
    return " & ".join(f"({part})" for part in parts)


def _or(parts: Iterable[str]) -> str:
    return " | ".join(parts)


def _quoted(stem: str, weights: str = "") -> str:
    escaped = stem.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'" + (f":{weights}" if weights else "")
