"""How good an order of products is, by what people have judged."""

import csv
import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

# Of a query: the grade, 0 to 3, of each product that somebody has judged.
Grades = Mapping[str, int]
_TOP = 10


def judgements(path: Path) -> dict[str, dict[str, int]]:
    """The grades by query, from a file with query, product_id and grade."""
    found: dict[str, dict[str, int]] = {}
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            found.setdefault(line["query"], {})[line["product_id"]] = int(line["grade"])
    return found


def is_held_out(query: str) -> bool:
    """Whether the ranking was not tuned on it: always the same half of all queries."""
    return hashlib.sha256(query.encode()).digest()[-1] % 2 == 1


def ndcg(order: Sequence[str], grades: Grades) -> float:
    """nDCG@10, with 2^grade - 1 as gain, and nothing for what nobody has judged."""
    best = sorted((_gain(grade) for grade in grades.values()), reverse=True)
    return _discounted([_gain(grades.get(one, 0)) for one in order]) / _discounted(best)


def condensed(order: Sequence[str], grades: Grades) -> float:
    """The same of what was judged alone."""
    return ndcg([one for one in order if one in grades], grades)


def judged(order: Sequence[str], grades: Grades) -> float:
    """The share of the first ten that somebody has judged."""
    top = order[:_TOP]
    return sum(one in grades for one in top) / len(top) if top else 1.0


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the mean of such values lies in 95 of 100 draws, by bootstrap."""
    chance = random.Random(42)  # noqa: S311 no secret: the same each time
    draws = 2000
    means = sorted(fmean(chance.choices(values, k=len(values))) for _ in range(draws))
    return means[draws * 25 // 1000], means[draws * 975 // 1000]


def _gain(grade: int) -> float:
    return float(2**grade - 1)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:_TOP]))
