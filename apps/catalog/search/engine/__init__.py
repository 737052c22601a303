"""Search by Elasticsearch 9 or OpenSearch 3: one mapping, one way to ask."""

from apps.catalog.search.engine.finding import search

__all__ = ["search"]
