"""Who may do what on the broker: the shop's virtual host, its users and their rights.

>>> definitions(virtual_host="shop", passwords={"relay": "...", ...})
{'vhosts': [{'name': 'shop'}], 'users': [{'name': 'shop-relay', ...
"""

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from shop.topology import ALL_QUEUES, SHOP

NOTHING = "^$"
# Events and remote control: what Flower needs, and what workers answer. Not among them is a
# worker's own queue for commands, order@host.celery.pidbox.
_CONTROL = [r"celeryev(\..+)?", r"celery\.pidbox", r"(.+\.)?reply\.celery\.pidbox"]


def definitions(*, virtual_host: str, passwords: Mapping[str, str]) -> dict[str, Any]:
    """What `rabbitmqctl import_definitions` takes; the users are named after the host."""
    return {
        "vhosts": [{"name": virtual_host}],
        "users": [
            {
                "name": f"{virtual_host}-{role}",
                "password_hash": _hashed(passwords[role]),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                # So that Flower can ask the management how long the queues are.
                "tags": "management" if role == "flower" else "",
            }
            for role in RIGHTS
        ],
        "permissions": [
            {"user": f"{virtual_host}-{role}", "vhost": virtual_host, **rights}
            for role, rights in RIGHTS.items()
        ],
    }


def _pattern(names: list[str]) -> str:
    return f"^({'|'.join(names)})$"


def _all_of_ours() -> list[str]:
    names = {queue.name for queue in ALL_QUEUES} | {queue.exchange.name for queue in ALL_QUEUES}
    return [*sorted(map(re.escape, names)), r"celery_delayed_\w+", r".+@.+\.celery\.pidbox"]


def _alike(names: list[str]) -> dict[str, str]:
    return dict.fromkeys(("configure", "write", "read"), _pattern(names))


RIGHTS = {
    # It publishes the outbox. Nobody else outside the workers can start a task.
    "relay": {"configure": NOTHING, "write": _pattern([SHOP.name]), "read": NOTHING},
    # Workers and beat. Celery declares again whatever it uses, so they may.
    "worker": _alike([*_all_of_ours(), *_CONTROL]),
    "flower": _alike(_CONTROL),
}


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(4)
    return b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
