"""What the shopkeeper knows better than the ranking, and the indexes of the engine."""

from apps.catalog.search.admin import indexes, rules

__all__ = ["indexes", "rules"]
