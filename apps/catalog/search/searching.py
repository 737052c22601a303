"""Search, for whoever asks: by the engine where there is one, or else by PostgreSQL."""

from apps.catalog.search import postgres
from apps.catalog.search.rules import Rules, current_rules
from apps.catalog.search.wanted import Found, Suggestions, Wanted


def search(wanted: Wanted, *, rules: Rules | None = None) -> Found:
    """What is found. `rules` are the shopkeeper's, unless others are to be tried."""
    return postgres.search(wanted, rules=current_rules() if rules is None else rules)


def suggest(text: str, *, limit: int) -> Suggestions:
    return postgres.suggest(text, limit=limit)
