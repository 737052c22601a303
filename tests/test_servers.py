"""What the plugin tests/servers.py starts, takes over, reports and refuses, in a tiny suite."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import Servers

ROOT = Path(__file__).resolve().parents[1]
GIVEN = {
    "DATABASE_URL": "postgres://given/shop",
    "DATABASE_REPLICA_URL": "postgres://given/replica",
    "REDIS_URL": "redis://given/0",
    "CELERY_BROKER_URL": "redis://given/1",
}
SUITE = """
import os
from pathlib import Path
import pytest

def test_plain():
    Path("plain-has-run").touch()
    assert os.environ["DATABASE_URL"] == "postgres://given/shop"

@pytest.mark.rabbitmq
def test_marked():
    assert os.environ["RABBITMQ_URL"].startswith("amqp://")
"""


@pytest.fixture
def suite() -> Iterator[Path]:
    """A copy of the plugin beside two tests, with a var/test of its own."""
    # Not tmp_path, which the servers' own users may not enter.
    place = Path(tempfile.mkdtemp(prefix="plugproof-suite-"))
    place.chmod(0o755)
    for package in ("deploy", "tests"):
        (place / package).mkdir()
    shutil.copytree(ROOT / "deploy" / "embedded", place / "deploy" / "embedded")
    shutil.copy(ROOT / "tests" / "servers.py", place / "tests")
    (place / "test_suite.py").write_text(SUITE)
    (place / "pytest.ini").write_text(
        "[pytest]\naddopts = -p tests.servers -p no:django\nmarkers = rabbitmq\n"
    )
    yield place
    Servers(place / "var" / "test").down()
    shutil.rmtree(place)


def run(suite: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    kept["TEST_DB_SUFFIX"] = "nested"  # or it would clear away the logs of this run
    return subprocess.run(  # noqa: S603 ours
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=suite,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def up(suite: Path) -> list[str]:
    servers = Servers(suite / "var" / "test").status()
    return [server.name for server in servers if server.state == "up"]


def report(ended: subprocess.CompletedProcess[str]) -> list[str]:
    lines = ended.stdout.splitlines()
    return [line.removeprefix("ran against ") for line in lines if "ran against" in line]


def test_names_in_one_line_the_server_that_cannot_be_had(suite: Path) -> None:
    ended = run(suite, PGBIN="/nowhere")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == ["PostgreSQL: no initdb in PGBIN=/nowhere"]
    assert not (suite / "plain-has-run").exists()


def test_misses_rabbitmq_before_the_first_test_runs(suite: Path) -> None:
    ended = run(suite, **GIVEN, PATH="/nowhere")
    assert ended.returncode == 2
    assert "Exit: RabbitMQ: no " in ended.stdout
    assert not (suite / "plain-has-run").exists()


def test_starts_nothing_that_is_given_and_no_rabbitmq_without_need(suite: Path) -> None:
    ended = run(suite, "-m", "not rabbitmq", **GIVEN, PATH="/nowhere", RABBITMQ_URL="amqp://")
    assert ended.returncode == 0, ended.stdout
    assert (suite / "plain-has-run").exists()
    assert not (suite / "var").exists()
    assert report(ended) == [f"the servers of {', '.join(GIVEN)}"]


def test_takes_a_rabbitmq_that_is_given(suite: Path) -> None:
    ended = run(suite, **GIVEN, PATH="/nowhere", RABBITMQ_URL="amqp://given")
    assert ended.returncode == 0, ended.stdout
    assert report(ended) == [f"the servers of {', '.join(GIVEN)}, RABBITMQ_URL"]


@pytest.mark.rabbitmq
def test_starts_rabbitmq_alone_when_the_others_are_given(suite: Path) -> None:
    ended = run(suite, **GIVEN)
    assert ended.returncode == 0, ended.stdout
    assert up(suite) == ["rabbitmq"]
    own, given = report(ended)
    assert own.startswith("rabbitmq ")
    assert given == f"the servers of {', '.join(GIVEN)}"
