"""OpenSearch 3.8 and Elasticsearch 9.3 from Maven's artifacts, for development and tests.

The Elasticsearch of the artifact is a bare server. What it lacks of a full one, and search
needs, TestAnalysisPlugin.java adds under the names that it has there.
"""

from deploy.embedded.search_engines.elasticsearch import Elasticsearch
from deploy.embedded.search_engines.opensearch import OpenSearch

__all__ = ["Elasticsearch", "OpenSearch"]
