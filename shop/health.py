"""Is the process alive, and what of the things it depends on is there.

`live` asks nobody. `ready` asks each dependency, all at once and for at most a second: a shop
without its optional parts is degraded and still ready; without its primary database it is down.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import urllib3
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shop.clock import database_time
from tasks.signs_of_life import RELAY_SILENT
from tasks.stuck import OUTBOX_LATE, ask

_SECONDS = 1.0
_PORTS = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}
_logger = logging.getLogger(__name__)

Finding = dict[str, Any]


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 Django passes it
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 Django passes it
    """200 with `status` ok or degraded, or 503 with down, and a finding per dependency."""
    findings = _ask_all(_checks())
    status = "ok"
    if any(finding["status"] != "ok" for finding in findings.values()):
        status = "degraded"
    if findings["database"]["status"] == "down":
        status = "down"
    body = {"status": status, "dependencies": findings}
    return JsonResponse(body, status=503 if status == "down" else 200)


def _checks() -> dict[str, Callable[[], Finding]]:
    checks = {
        "database": _database,
        "outbox": _outbox,
        "cache": _cache,
        "broker": _broker,
    }
    if settings.SEARCH_URL:
        checks["search"] = _search
    for number, url in enumerate(settings.DATABASE_REPLICA_URL.split(), start=1):
        checks[f"replica{number if number > 1 else ''}"] = partial(_replica, url)
    return checks


def _ask_all(checks: dict[str, Callable[[], Finding]]) -> dict[str, Finding]:
    """Each check's finding; one that hangs is left behind in its thread and counts as down."""
    pool = ThreadPoolExecutor(max_workers=len(checks))
    deadline = monotonic() + _SECONDS
    futures = {name: pool.submit(check) for name, check in checks.items()}
    findings = {
        name: _finding(name, future, seconds=max(0, deadline - monotonic()))
        for name, future in futures.items()
    }
    pool.shutdown(wait=False, cancel_futures=True)
    return findings


def _finding(name: str, future: Future[Finding], *, seconds: float) -> Finding:
    try:
        return future.result(timeout=seconds)
    except TooSlow:
        return {"status": "down", "reason": "does not answer in time"}
    except Exception as error:  # noqa: BLE001 whatever it is, the answer must come
        # Its text may hold host names and users, which are no business of the caller.
        _logger.warning("Health check of the %s failed: %s", name, error)
        return {"status": "down", "reason": "cannot be reached"}


@contextmanager
def _own_connection() -> Iterator[BaseDatabaseWrapper]:
    # A check has a thread of its own, so Django opens a new connection, closed at the end.
    try:
        yield connection
    finally:
        connection.close()


def _database() -> Finding:
    with _own_connection() as own, own.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        (is_standby,) = cursor.fetchone()
    if is_standby:
        return {"status": "down", "reason": "is a standby and takes no writes"}
    return {"status": "ok"}


def _outbox() -> Finding:
    with _own_connection():
        answers = ask([OUTBOX_LATE, RELAY_SILENT], now=database_time())
    reasons = [answer.title for answer in answers if answer.needs_a_look]
    if reasons:
        return {"status": "degraded", "reason": "; ".join(reasons)}
    return {"status": "ok"}


# By the heartbeat: what PostgreSQL says of the lag is wrong for a standby that is cut off.
_LAG = """
    SELECT EXISTS (SELECT FROM pg_stat_wal_receiver), pg_is_in_recovery(),
           (SELECT 1000 * EXTRACT(EPOCH FROM clock_timestamp() - at)
            FROM routing_primaryheartbeat)
"""


def _replica(url: str) -> Finding:
    # psycopg itself and not a Django connection: the lag is asked past any routing.
    replica = psycopg2.connect(url, connect_timeout=1)
    try:
        with replica.cursor() as cursor:
            cursor.execute(_LAG)
            is_receiving, is_standby, lag = cursor.fetchone() or (False, False, None)
    finally:
        replica.close()
    finding: Finding = {"status": "ok", "lag_ms": None if lag is None else round(lag)}
    if not is_standby:
        finding |= {"status": "degraded", "reason": "is no standby; the primary is read"}
    elif lag is None or lag > 1000 * settings.REPLICA_MAX_LAG:
        finding |= {"status": "degraded", "reason": "is late; the primary is read"}
    elif not is_receiving:
        finding |= {"status": "degraded", "reason": "receives nothing from the primary"}
    return finding


def _cache() -> Finding:
    cache.get("health")
    return {"status": "ok"}


def _broker() -> Finding:
    # Only whether it listens: the web never talks to the broker.
    url = urlsplit(settings.CELERY_BROKER_URL)
    address = (url.hostname or "localhost", url.port or _PORTS[url.scheme])
    socket.create_connection(address, timeout=_SECONDS).close()
    return {"status": "ok"}


def _search() -> Finding:
    """Whether it answers and has an index. If not, PostgreSQL is searched."""
    url = urlsplit(settings.SEARCH_URL)
    login = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
    response = urllib3.request(
        "GET",
        f"{address}/_cat/aliases/products?h=index",
        headers=urllib3.make_headers(basic_auth=login) if url.username else None,
        timeout=_SECONDS,
        retries=False,
    )
    if response.status != HTTPStatus.OK or not response.data.strip():
        return {"status": "degraded", "reason": "has no index; run init_search"}
    return {"status": "ok"}
