"""A plugin of pytest: the real servers that the suite runs against.

Each is taken from its environment variable; what is not set there is started under var/test,
where it stays for the next run. RabbitMQ and the search engines are taken only when a selected
test asks for them.
A server that cannot be had ends the run with 2.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from deploy.embedded import Servers, ServerUnavailable

# PLUGPROOF_TEST_SERVERS: a copy of the shop, as the planted bugs make, uses the same servers.
DIRECTORY = Path(
    os.environ.get("PLUGPROOF_TEST_SERVERS")
    or Path(__file__).resolve().parents[1] / "var" / "test"
)
# Each with the server that is started when it is not set.
_ALWAYS = {
    "DATABASE_URL": "primary",
    "DATABASE_REPLICA_URL": "standby",
    "REDIS_URL": "redis",
    "CELERY_BROKER_URL": "redis",
}
_RABBITMQ = {"RABBITMQ_URL": "rabbitmq"}
SEARCH_ENGINES = {"opensearch": "OPENSEARCH_URL", "elasticsearch": "ELASTICSEARCH_URL"}

# What tests have measured: printed, because a time is no reason to fail.
figures: list[str] = []

_given: list[str] = []  # variables
_started: list[str] = []  # servers


# A wrapper runs before pytest-django's hook, which reads the settings.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """The servers of every test."""
    try:
        _take(_ALWAYS, start=Servers(DIRECTORY).up)
    except (ServerUnavailable, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)  # too early for pytest.exit
    os.environ.setdefault("EMAIL_FILE_PATH", str(DIRECTORY / "mail"))
    return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """The others: now, because they would be missed only after minutes of other tests."""
    try:
        if any(item.get_closest_marker("rabbitmq") for item in session.items):
            _take(_RABBITMQ, start=_start_rabbitmq)
        for name in _wanted_engines(session.items):
            _take({SEARCH_ENGINES[name]: name}, start=partial(_start_engine, name))
    except (ServerUnavailable, OSError) as problem:
        pytest.exit(str(problem), returncode=2)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines say what the tests measured, and what they ran against."""
    for line in figures:
        terminalreporter.write_line(f"measured: {line}")
    servers = Servers(DIRECTORY)
    started = [servers.rabbitmq.name if one == "rabbitmq" else one for one in _started]
    for server in servers.status():
        if server.name in started:
            terminalreporter.write_line(f"ran against {server.name} {server.version}")
    driver = "psycopg" if find_spec("psycopg") else "psycopg2"  # as Django chooses
    terminalreporter.write_line(f"ran with {driver} {import_module(driver).__version__}")
    if _given:
        terminalreporter.write_line(f"ran against the servers of {', '.join(_given)}")


def run_directory() -> Path:
    """Where processes that tests start keep their files: one for each test database."""
    return DIRECTORY / "pipeline" / f"test_{os.environ.get('TEST_DB_SUFFIX', 'shop')}"


def _take(variables: Mapping[str, str], *, start: Callable[[], dict[str, str]]) -> None:
    """Set in the environment what `start` returns, but leave alone what the caller has set."""
    missing = [name for name in variables if name not in os.environ]
    _given.extend(name for name in variables if name not in missing)
    if missing:
        urls = start()
        os.environ.update({name: urls[name] for name in missing})
        _started.extend(variables[name] for name in missing)


def _start_rabbitmq() -> dict[str, str]:
    servers = Servers(DIRECTORY)
    servers.start("rabbitmq")
    return {"RABBITMQ_URL": servers.rabbitmq.url()}


def _wanted_engines(items: Sequence[pytest.Item]) -> set[str]:
    """What the fixture `search_engine` is going to be asked for."""
    specs = [item.callspec for item in items if hasattr(item, "callspec")]
    return {spec.params["search_engine"] for spec in specs if "search_engine" in spec.params}


def _start_engine(name: str) -> dict[str, str]:
    servers = Servers(DIRECTORY)
    servers.start(name)
    engine = servers.opensearch if name == "opensearch" else servers.elasticsearch
    return {SEARCH_ENGINES[name]: engine.url()}
