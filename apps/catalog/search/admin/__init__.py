"""What the shopkeeper knows better than the ranking: synonyms and boosts."""

from apps.catalog.search.admin import rules

__all__ = ["rules"]
