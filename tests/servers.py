"""Loaded by pytest before Django's settings: the real servers that the suite runs against.

Each is taken from its environment variable; what is not set there is started under var/test,
where it stays for the next run. RabbitMQ is started by the fixture that needs it: conftest.py.
"""

import os
from pathlib import Path

import pytest

from deploy.embedded import Servers

DIRECTORY = Path(__file__).resolve().parents[1] / "var" / "test"
_NEEDED = {"DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "CELERY_BROKER_URL"}
_GIVEN = sorted(os.environ.keys() & (_NEEDED | {"RABBITMQ_URL"}))

if not os.environ.keys() >= _NEEDED:
    for _name, _value in Servers(DIRECTORY).up().items():
        os.environ.setdefault(_name, _value)
os.environ.setdefault("EMAIL_FILE_PATH", str(DIRECTORY / "mail"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines say what the tests ran against."""
    for server in Servers(DIRECTORY).status():
        if server.state == "up":
            terminalreporter.write_line(f"ran against {server.name} {server.version}")
    if _GIVEN:
        terminalreporter.write_line(f"ran against the servers of {', '.join(_GIVEN)}")
