"""`python -m deploy.backend.health WHAT`: ends with 0 if this container does its part.

For the health checks of docker-compose.yml, and `report` for people. It costs a fraction of a
second, so it does not set up Django.
"""

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

import psycopg2

# Of the same names as tasks.models; both beat several times in these seconds.
_SILENT_AFTER = {"relay": 60, "beat": 120}
_HEARTBEAT = """
    SELECT at > now() - %s * interval '1 second' AND coalesce((facts->>'connected')::bool, true)
    FROM tasks_heartbeat WHERE name = %s
"""


def main(what: str) -> int:
    """0 or 1; a line of why not is on standard error."""
    try:
        well = _CHECKS[what](what)
    except (OSError, psycopg2.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if well else 1


def _web(_what: str) -> bool:
    _ready()
    return True


def _report(_what: str) -> bool:
    """For people: whether the shop is ready, and what is not as it should be."""
    readiness = _ready()
    sys.stdout.write(f"The shop is {readiness['status']}.\n")
    for name, finding in readiness["dependencies"].items():
        if finding["status"] != "ok":
            sys.stdout.write(f"  {name}: {finding.get('reason', finding['status'])}\n")
    return True


def _ready() -> Any:
    host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip().removeprefix(".")
    return json.loads(_get("http://127.0.0.1:8000/health/ready", host=host))


def _flower(_what: str) -> bool:
    _get("http://127.0.0.1:5555/flower/healthcheck", host="flower")
    return True


def _get(url: str, *, host: str) -> bytes:
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 ours
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 ours
        return bytes(answer.read())


def _heartbeat(what: str) -> bool:
    database = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=3)
    with database, database.cursor() as cursor:
        cursor.execute(_HEARTBEAT, [_SILENT_AFTER[what], what])
        row = cursor.fetchone()
    return bool(row and row[0])


def _worker(what: str) -> bool:
    """Whether it answers, by way of the broker."""
    from celery import Celery

    from shop.settings import pipeline

    app = Celery("health", set_as_current=False)
    app.config_from_object(pipeline, namespace="CELERY")
    name = f"{what}@{socket.gethostname()}"
    return bool(app.control.ping(destination=[name], timeout=3.0))


_CHECKS: dict[str, Callable[[str], bool]] = {
    "report": _report,
    "web": _web,
    "flower": _flower,
    "relay": _heartbeat,
    "beat": _heartbeat,
    "worker-order": _worker,
    "worker-email": _worker,
    "worker-search": _worker,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
