"""Search, for whoever asks: by the engine where there is one, or else by PostgreSQL."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from django.conf import settings
from elasticsearch import ApiError, TransportError

from apps.catalog.search import breaker, engine, postgres
from apps.catalog.search.breaker import Turn
from apps.catalog.search.rules import Rules, current_rules
from apps.catalog.search.wanted import Found, Suggestions, Wanted

Answer = TypeVar("Answer", Found, Suggestions)

log = logging.getLogger(__name__)


def search(wanted: Wanted, *, rules: Rules | None = None) -> Found:
    """What is found. `rules` are the shopkeeper's, unless others are to be tried."""
    chosen = current_rules() if rules is None else rules
    found = _ask(
        lambda: engine.search(wanted, rules=chosen),
        instead=lambda: postgres.search(wanted, rules=chosen),
    )
    # Asked all the same: only then is known what a typo was taken for.
    if any(map(chosen.leaves_empty, (wanted.q, found.did_you_mean or ""))):
        return Found(engine=found.engine, degraded=found.degraded)
    return found


def suggest(text: str, *, limit: int) -> Suggestions:
    """What the first letters of a search may mean."""
    suggested = _ask(
        lambda: engine.suggest(text, limit=limit),
        instead=lambda: postgres.suggest(text, limit=limit),
    )
    rules = current_rules()
    return replace(
        suggested,
        queries=[query for query in suggested.queries if not rules.leaves_empty(query)],
        product_ids=() if rules.leaves_empty(text) else suggested.product_ids,
    )


def _ask(ask: Callable[[], Answer], *, instead: Callable[[], Answer]) -> Answer:
    """The engine's answer; PostgreSQL's, called degraded, if the engine cannot give one."""
    if not settings.SEARCH_URL:
        return instead()
    turn = breaker.turn()
    if turn is not Turn.LEAVE:
        try:
            if turn is Turn.TRY:
                engine.knock()  # a frozen one would take all of a shopper's patience
            answer = ask()
        except (TransportError, ApiError) as error:
            _note(error)
        else:
            breaker.answered()
            return answer
    return replace(instead(), degraded=True)


def _note(error: TransportError | ApiError) -> None:
    if engine.is_away(error):
        breaker.failed()
        log.warning("search engine away, PostgreSQL is asked: %s", type(error).__name__)
    else:  # it is well, and refuses what we ask: our mistake, which a shopper need not pay for
        log.error("search engine refuses, PostgreSQL is asked: %s", error)
