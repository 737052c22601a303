"""Search in PostgreSQL alone: the fallback, and all there is where there is no engine."""

from apps.catalog.search.postgres.finding import search
from apps.catalog.search.postgres.suggesting import suggest

__all__ = ["search", "suggest"]
