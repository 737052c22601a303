"""The search engine. Without one the shop searches in PostgreSQL."""

from django.core.exceptions import ImproperlyConfigured
from elastic_transport.client_utils import url_to_node_config

from shop.settings.env import env_url

# Elasticsearch 9 or OpenSearch 3; empty: none.
SEARCH_URL = env_url("SEARCH_URL", schemes={"http", "https"}, default="")
if SEARCH_URL:
    try:
        url_to_node_config(SEARCH_URL)
    except ValueError:  # its text may hold the password
        raise ImproperlyConfigured(
            "SEARCH_URL is not like http://elasticsearch:9200, with a host and a port."
        ) from None

# What django-elasticsearch-dsl would do by itself is wrong for us: it writes to the engine
# inside the transaction of a save, and waits for a refresh. apps/catalog/search does it.
ELASTICSEARCH_DSL = {"default": {"hosts": SEARCH_URL or "http://127.0.0.1:9200"}}
ELASTICSEARCH_DSL_AUTOSYNC = False
ELASTICSEARCH_DSL_AUTO_REFRESH = False
ELASTICSEARCH_DSL_SIGNAL_PROCESSOR = "django_elasticsearch_dsl.signals.BaseSignalProcessor"
