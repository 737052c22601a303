"""Bindings that the broker still has and the shop no longer declares.

AMQP cannot list bindings, so this asks RabbitMQ's management.
"""

import http.client
import json
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from shop.topology import ALL_QUEUES, SHOP, WORK_QUEUES

_SECONDS = 10.0


class Binding(NamedTuple):
    source: str
    destination: str
    routing_key: str

    def __str__(self) -> str:
        return f"{self.source} to {self.destination}, key {self.routing_key or '(none)'}"


def stray_bindings(management_url: str, *, virtual_host: str) -> list[Binding]:
    """What else is bound to our exchanges or queues; raises OSError or HTTPException."""
    ours = {queue.name for queue in ALL_QUEUES} | {queue.exchange.name for queue in ALL_QUEUES}
    rows = _get(management_url, f"/api/bindings/{quote(virtual_host, safe='')}")
    found = {Binding(row["source"], row["destination"], row["routing_key"]) for row in rows}
    related = {one for one in found if one.source and ours & {one.source, one.destination}}
    return sorted(related - _declared())


def _declared() -> set[Binding]:
    declared = {Binding(one.exchange.name, one.name, one.routing_key) for one in ALL_QUEUES}
    for queue in WORK_QUEUES:  # a delayed retry comes back with its waiting time in the key
        key = f"#.{queue.routing_key}"
        declared |= {Binding(SHOP.name, queue.name, key)}
        declared |= {Binding("celery_delayed_delivery", SHOP.name, key)}
    return declared


def _get(management_url: str, path: str) -> list[dict[str, str]]:
    url = urlsplit(management_url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[url.scheme](url.hostname or "localhost", url.port, timeout=_SECONDS)
    login = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
    try:
        connection.request("GET", f"{url.path.rstrip('/')}{path}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise http.client.HTTPException(f"status {answer.status}")
    rows: list[dict[str, str]] = json.loads(body)
    return rows
