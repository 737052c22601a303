"""What was found out about each engine that is there, on the terminal."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from django.conf import settings
from django.core.management import call_command

from apps.catalog.models import Product
from apps.catalog.search import engine, postgres
from apps.catalog.search.engine.client import client, engine_name
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.models import Word
from apps.catalog.search.wanted import Wanted
from bench.search_quality.asking import Asked, Asking, Search
from bench.search_quality.files import Files
from bench.search_quality.hostile import hostile
from bench.search_quality.judging import (
    Grades,
    condensed,
    interval,
    is_held_out,
    judged,
    judgements,
    ndcg,
)
from bench.search_quality.slips import slip
from shop.percentiles import percentile

_ROUNDS = 5  # of all queries, to time them
# Before those: Java compiles what an engine that has just been started does often. Searches
# become more than twice as fast over 40 rounds, which a shop's engine soon has behind it.
_WARMING_ROUNDS = 40


class Gates(NamedTuple):
    """What an engine must reach; the cost of a typo is a share, p50 are milliseconds, and so
    is the p99 of queries that are made to be slow."""

    ndcg: float
    p50: float
    typo: float = 0.10
    hostile: float = 1000


_OF_AN_ENGINE = Gates(ndcg=0.80, p50=30)
_GATES = {
    "postgres": Gates(ndcg=0.72, p50=60),
    "opensearch": _OF_AN_ENGINE,
    "elasticsearch": _OF_AN_ENGINE,
}


def fill(products: Path) -> None:
    """The shop with these products, one of each in stock; a second time changes nothing."""
    call_command("import_products", str(products), stock=1)


def judge_all(files: Files) -> bool:
    """Print the figures of PostgreSQL, and of the engine of SEARCH_URL if there is one; whether
    all meet their gates."""
    queries, names = judgements(files.judgements), files.names()
    _say(f"{Product.objects.count()} products, {len(queries)} judged queries")
    _say(f"load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    engines: dict[str, Search] = {"postgres": postgres.search}
    if settings.SEARCH_URL:
        call_command("init_search")  # an index of an earlier run may have older documents
        engines[engine_name()] = engine.search
    met = [_judge(name, Asking(ask, names), queries) for name, ask in engines.items()]
    return all(met)


def _judge(engine: str, asking: Asking, queries: Mapping[str, Grades]) -> bool:
    _say(f"\n{engine}")
    answerable = {query: grades for query, grades in queries.items() if any(grades.values())}
    asked = {query: asking.ask(query) for query in queries}
    quality = _show_quality({query: asked[query].order for query in answerable}, answerable)
    typed = fmean(ndcg(asking.ask(slip(q)).order, grades) for q, grades in answerable.items())
    cost = 1 - typed / quality
    _say(f"  one typo a word        nDCG@10 {typed:.3f}, costs {cost:.1%}")
    for query in sorted(queries.keys() - answerable.keys()):
        _show_nothing(asked[query], queries[query])
    anew: list[Asked] = []
    everything: list[Asked] = []
    page = partial(asking.ask, page_size=Wanted.page_size)  # as a shopper gets it
    if engine != "postgres":
        _show_times("ms, just started", _asked_anew(engine, page, queries))
        for _ in range(_WARMING_ROUNDS):
            _asked_anew(engine, page, ["", *queries])
    for _ in range(_ROUNDS):
        anew += _asked_anew(engine, page, queries)
        everything.append(page(""))
    p50, _ = _show_times("ms, asked anew", anew)
    _show_times("ms, all products anew", everything)
    _show_times("ms, asked again", [*map(page, queries)])
    slow = [page(query) for query in hostile(_known_words())]
    _, p99 = _show_times("ms, made to be slow", slow)
    gates = _GATES[engine]
    is_met = (
        quality >= gates.ndcg and cost < gates.typo and p50 < gates.p50 and p99 < gates.hostile
    )
    wanted = (
        f"nDCG@10 {gates.ndcg}, typo {gates.typo:.0%}, p50 {gates.p50:.0f} ms,"
        f" made to be slow p99 {gates.hostile:.0f} ms"
    )
    _say(f"  gates ({wanted}): {'met' if is_met else 'NOT met'}")
    return is_met


def _show_quality(
    orders: Mapping[str, Sequence[str]], answerable: Mapping[str, Grades]
) -> float:
    """The mean of all."""
    values = {query: ndcg(order, answerable[query]) for query, order in orders.items()}
    held_out = [value for query, value in values.items() if is_held_out(query)]
    tuned_on = [value for query, value in values.items() if not is_held_out(query)]
    for name, some in (
        ("all", list(values.values())),
        ("tuned on", tuned_on),
        ("held out", held_out),
    ):
        low, high = interval(some)
        figures = f"nDCG@10 {fmean(some):.3f} ({low:.2f} to {high:.2f})"
        _say(f"  {name:22} {figures}, {len(some)} queries")
    for name, measure in (("condensed", condensed), ("judged@10", judged)):
        value = fmean(measure(order, answerable[query]) for query, order in orders.items())
        _say(f"  {name:22} {value:.3f}")
    return fmean(values.values())


def _show_nothing(asked: Asked, grades: Grades) -> None:
    """What was found all the same: what people have judged of it is wrong, the rest open."""
    found = asked.found
    said = f", taken for {found.did_you_mean}" if found.did_you_mean else ""
    relaxed = ", relaxed" if found.relaxed else ""
    share = f", judged@10 {judged(asked.order, grades):.3f}" if found.total else ""
    _say(f"  without an answer      {asked.query}: {found.total} found{relaxed}{said}{share}")


def _asked_anew(
    engine: str, ask: Callable[[str], Asked], queries: Iterable[str]
) -> list[Asked]:
    """An engine keeps its answers until the index changes; PostgreSQL keeps none."""
    if engine != "postgres":
        client().indices.clear_cache(index=ALIAS, request=True)
    return [*map(ask, queries)]


def _known_words() -> list[str]:
    """Long enough to be taken for, when they are mistyped."""
    words = Word.objects.filter(word__regex="^[a-z]{6,12}$").order_by("-products", "word")
    return list(words.values_list("word", flat=True)[:2000])


def _show_times(name: str, asked: Sequence[Asked]) -> tuple[float, float]:
    """The p50 and p99; all facets are counted each time."""
    times = [one.milliseconds for one in asked]
    p50, p95, p99 = (percentile(times, percent) for percent in (50, 95, 99))
    _say(f"  {name:22} p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f}")
    return p50, p99


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
