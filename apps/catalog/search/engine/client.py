"""The connection to the engine: one for each process, impatient, and without retries."""

import dataclasses
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from elastic_transport import HttpHeaders, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import ApiError, ConnectionTimeout, Elasticsearch, TransportError
from urllib3.exceptions import HTTPError

# Seconds that a shopper's search waits before PostgreSQL answers it.
SEARCH_TIMEOUT = 1.5
# The engine cannot answer now; every other status is about what it was asked.
_AWAY = {429, 502, 503, 504}
_VENDOR = "application/vnd.elasticsearch+"


class PlainNode(Urllib3HttpNode):
    """Speaks plain JSON, which Elasticsearch and OpenSearch both take.

    OpenSearch refuses the media types of Elasticsearch's own client, which in turn refuses an
    answer that does not say that it is Elasticsearch's.
    """

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> Any:
        sent = HttpHeaders(headers or {})
        for name in ("accept", "content-type"):
            if name in sent:
                sent[name] = _plain(sent[name])
        try:
            response = super().perform_request(
                method, target, body=body, headers=sent, request_timeout=request_timeout
            )
        except TransportError as error:
            # The library takes whatever is raised meanwhile for the connection's fault, also
            # that by which a worker ends a task that has taken too long.
            for cause in error.errors:
                if not isinstance(cause, HTTPError | OSError):
                    raise cause from None
            raise
        answered = HttpHeaders(response.meta.headers)
        answered["x-elastic-product"] = "Elasticsearch"
        meta = dataclasses.replace(response.meta, headers=answered)
        return response._replace(meta=meta)


def client() -> Elasticsearch:
    """The engine of SEARCH_URL, for searches; `.options(request_timeout=...)` for the rest."""
    return _client(settings.SEARCH_URL)


def deadline() -> float:
    """When a search that begins now must be over, as time.monotonic() has it."""
    return time.monotonic() + SEARCH_TIMEOUT


def until(deadline: float) -> Elasticsearch:
    """The engine, for a search that must be over at this time of time.monotonic().

    Raises ConnectionTimeout if that is now: a search asks several times, and its shopper waits
    for all of them together.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise ConnectionTimeout("the search has taken all of its time")
    return client().options(request_timeout=left)


def engine_name() -> str:
    """“elasticsearch” or “opensearch”; asked once. Raises what a call to the engine does."""
    return _name(settings.SEARCH_URL)


def is_away(error: Exception) -> bool:
    """Whether the engine is down, starting, or overloaded, and not what we asked is wrong."""
    if isinstance(error, ApiError):
        return error.meta.status in _AWAY
    return isinstance(error, TransportError)


@lru_cache(maxsize=8)
def _client(url: str) -> Elasticsearch:
    return Elasticsearch(
        url,
        node_class=PlainNode,
        request_timeout=SEARCH_TIMEOUT,
        max_retries=0,
        retry_on_timeout=False,
    )


@lru_cache(maxsize=8)
def _name(url: str) -> str:
    version: dict[str, Any] = _client(url).info()["version"]
    return str(version.get("distribution", "elasticsearch"))


def _plain(media_types: str) -> str:
    """“application/vnd.elasticsearch+json; compatible-with=9” becomes “application/json”."""
    return ",".join(
        part.split(";")[0].strip().replace(_VENDOR, "application/") if _VENDOR in part else part
        for part in media_types.split(",")
    )
