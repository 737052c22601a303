"""Search by Elasticsearch 9 or OpenSearch 3: one mapping, one way to ask."""

from apps.catalog.search.engine.client import is_away
from apps.catalog.search.engine.finding import knock, search
from apps.catalog.search.engine.suggesting import suggest

__all__ = ["is_away", "knock", "search", "suggest"]
