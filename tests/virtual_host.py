"""A virtual host of a test's own on the real RabbitMQ: what it breaks there disturbs nobody."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests

from deploy.embedded import Servers
from tests.servers import DIRECTORY

NOTHING = {"configure": "^$", "write": "^$", "read": "^$"}
ALL = {"configure": ".*", "write": ".*", "read": ".*"}


def management_url() -> str:
    """RabbitMQ's management, user and password included."""
    given = os.environ.get("RABBITMQ_MANAGEMENT_URL")
    return given or Servers(DIRECTORY).rabbitmq.management_url()


@contextmanager
def virtual_host(rabbitmq: str, *, name: str = "") -> Iterator[str]:
    """The URL of a new, empty one; it is deleted afterwards, with all that is in it.

    With a name it replaces the one that a killed run left behind.
    """
    name = name or f"test-{uuid.uuid4().hex[:12]}"
    server = rabbitmq.rpartition("@")
    address = f"{server[0]}@{server[2].partition('/')[0]}"
    api = f"{management_url()}/api"
    requests.delete(f"{api}/vhosts/{name}", timeout=30)
    _put(f"{api}/vhosts/{name}", {})
    _put(f"{api}/permissions/{name}/{urlsplit(rabbitmq).username}", ALL)
    try:
        yield f"{address}/{name}"
    finally:
        requests.delete(f"{api}/vhosts/{name}", timeout=30).raise_for_status()


@contextmanager
def stranger(host: str) -> Iterator[str]:
    """The login of a user who may enter the virtual host and do nothing there."""
    name = f"stranger-{uuid.uuid4().hex[:12]}"
    api = f"{management_url()}/api"
    _put(f"{api}/users/{name}", {"password": name, "tags": ""})
    _put(f"{api}/permissions/{host}/{name}", NOTHING)
    try:
        yield f"{name}:{name}"
    finally:
        requests.delete(f"{api}/users/{name}", timeout=30).raise_for_status()


def _put(url: str, body: dict[str, str]) -> None:
    requests.put(url, json=body, timeout=30).raise_for_status()
