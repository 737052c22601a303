"""Flower: a password, a memory that outlives it, its own prefix; nginx closes what is open."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from kombu import Connection, Producer

from deploy.processes import Processes
from shop.celery import app
from shop.topology import ORDER, SHOP, WORK_QUEUES
from tasks.queues import declare_queues
from tests.nginx import free_port, nginx
from tests.pipeline import CONFIRMED, eventually
from tests.virtual_host import management_url, virtual_host

pytestmark = pytest.mark.pipeline
LOGIN = ("flora", "s3cret")


@dataclass(frozen=True, kw_only=True)
class Flower:
    processes: Processes
    broker_url: str
    port: int

    def get(self, path: str, *, auth: tuple[str, str] | None = LOGIN) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", auth=auth, timeout=30)

    def start(self) -> None:
        self.processes.start(["flower"])
        eventually(self.answers, what="Flower answers")

    def answers(self) -> bool:
        assert "flower" in self.processes.alive(), self.processes.log("flower").read_text()
        try:
            return self.get("/flower/healthcheck").ok
        except requests.ConnectionError:
            return False


@pytest.fixture(
    params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)], scope="module"
)
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "redis":
        yield os.environ["REDIS_URL"].rpartition("/")[0] + "/4"
        return
    with virtual_host(request.getfixturevalue("rabbitmq")) as url:
        yield url


@pytest.fixture(scope="module")
def flower(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    place = tmp_path_factory.mktemp("flower")
    port = free_port()
    environment = {
        **os.environ,
        "CELERY_BROKER_URL": broker_url,
        "RABBITMQ_MANAGEMENT_URL": management_url() if "amqp" in broker_url else "",
        "FLOWER_BASIC_AUTH": ":".join(LOGIN),
        "FLOWER_PORT": str(port),
        "FLOWER_DB": str(place / "memory" / "state"),
    }
    with Connection(broker_url) as connection:
        declare_queues(connection)
        for queue in WORK_QUEUES:
            queue(connection.default_channel).purge()
    with Processes(environment=environment, directory=place) as processes:
        running = Flower(processes=processes, broker_url=broker_url, port=port)
        running.start()
        yield running


@pytest.mark.parametrize("login", ["", "flora", "flora:", ":s3cret"])
def test_does_not_start_without_user_and_password(login: str, tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 ours
        [sys.executable, "-m", "celery", "--app", "shop", "flower"]
        + ["--conf=shop/settings/flower.py"],
        env={**os.environ, "FLOWER_BASIC_AUTH": login, "FLOWER_DB": str(tmp_path / "db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "FLOWER_BASIC_AUTH is not user:password. Flower does not start without."
    ]


@pytest.mark.parametrize("path", ["/flower/", "/flower/tasks", "/flower/broker"])
def test_shows_its_pages_to_who_knows_the_password_alone(flower: Flower, path: str) -> None:
    assert flower.get(path).status_code == 200
    assert flower.get(path, auth=None).status_code == 401
    assert flower.get(path, auth=("flora", "guessed")).status_code == 401
    assert flower.get(path.removeprefix("/flower")).status_code == 404


def test_listens_on_the_loopback_interface_alone(flower: Flower) -> None:
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    port = f":{flower.port:04X} "
    addresses = {line.split()[1] for line in listening.splitlines() if port in line}
    assert {one for one in addresses if one.endswith(port.strip())} == {
        f"0100007F{port.strip()}"
    }


def test_starts_no_task_and_stops_no_worker(flower: Flower) -> None:
    before = depth(flower.broker_url)
    for action in (
        "task/async-apply/tasks.order_pipeline.cancel",
        "task/apply/tasks.order_pipeline.cancel",
        "task/send-task/tasks.order_pipeline.cancel",
        "worker/shutdown/search@here",
        "worker/pool/restart/search@here",
        "task/revoke/some-id",
    ):
        answer = requests.post(
            f"http://127.0.0.1:{flower.port}/flower/api/{action}",
            auth=LOGIN,
            json={"kwargs": {"order_id": 7}},
            timeout=30,
        )
        assert answer.status_code == 403, action
    assert depth(flower.broker_url) == before


def depth(broker_url: str) -> int:
    with Connection(broker_url) as connection:
        channel: Any = connection.default_channel
        try:
            return int(channel.queue_declare(ORDER, passive=True).message_count)
        except connection.channel_errors:  # Redis does not know of a queue that is empty
            return 0


def test_knows_how_many_messages_wait(flower: Flower) -> None:
    with Connection(flower.broker_url, transport_options=CONFIRMED) as connection:
        for _ in range(3):
            Producer(connection).publish({}, routing_key=ORDER, exchange=SHOP.name)

    def waiting() -> dict[str, int | None]:
        rows = flower.get("/flower/api/queues/length").json()["active_queues"]
        return {row["name"]: row.get("messages") for row in rows}

    # RabbitMQ's management counts every five seconds.
    eventually(lambda: waiting().get(ORDER) == 3, what="three messages shown")
    assert ORDER in flower.get("/flower/broker").text


def test_sees_a_worker_and_what_it_can_do(flower: Flower) -> None:
    flower.processes.start(["worker-search"])

    def worker() -> dict[str, Any]:
        workers = flower.get("/flower/api/workers?refresh=1").json()
        return next((w for name, w in workers.items() if name.startswith("worker-search@")), {})

    eventually(lambda: "stats" in worker(), what="the worker inspected")
    assert "tasks.order_pipeline.confirm" in worker()["registered"]
    flower.processes.kill("worker-search")


def test_remembers_what_it_saw_when_it_is_killed(flower: Flower) -> None:
    send_event(flower.broker_url, "0a1b-remembered")

    def is_known() -> bool:
        return "0a1b-remembered" in flower.get("/flower/api/tasks").json()

    eventually(is_known, what="the task shown")
    state = Path(flower.processes.log("flower").parents[1] / "memory")
    seen = newest(state)
    # It writes several files, so not while it is at that.
    eventually(lambda: seen < newest(state) < time.time() - 1, what="saved")
    flower.processes.kill("flower")
    flower.start()
    eventually(is_known, what="the task shown again")
    assert state.stat().st_mode & 0o077 == 0


def newest(directory: Path) -> float:
    saved = [file for file in directory.iterdir() if ".tmp" not in file.name]
    return max((file.stat().st_mtime for file in saved), default=0.0)


def send_event(broker_url: str, uuid: str) -> None:
    """What a worker tells of a task that it received."""
    with Connection(broker_url) as connection:
        dispatcher = app.events.Dispatcher(connection, hostname="order@here")
        dispatcher.send("task-received", uuid=uuid, name="tasks.order_pipeline.confirm")
        dispatcher.close()


# Each as it would stand in the first line of a request.
OPEN_PAGES = [
    "/flower/metrics",
    "/flower/healthcheck",
    "/flower/metrics/",
    "/flower/metrics?x=1",
    "//flower//metrics",
    "/flower/./metrics",
    "/flower/api/../metrics",
    "/shop/../flower/healthcheck",
    "/flower/%6detrics",
    "/flower%2Fmetrics",
    "/flower/metrics%2F",
    "/flower/%2e/metrics",
    "/flower/x/%2e%2e/metrics",
    "/flower/METRICS",
    "/Flower/Metrics",
    "/flower/metrics#x",
    "/flower/metrics;x",
    "/flower/metrics%00",
    "/flower/%256detrics",
    "http://flower/flower/metrics",
    "/metrics",
    "/healthcheck",
]


@pytest.fixture(scope="module")
def door(flower: Flower) -> Iterator[int]:
    """The port of an nginx in front."""
    with nginx(flower=flower.port) as front:
        yield front.port


class TestBehindNginx:
    def test_the_pages_come_through_and_ask_for_the_password(self, door: int) -> None:
        url = f"http://127.0.0.1:{door}/flower/"
        assert requests.get(url, timeout=30).status_code == 401
        page = requests.get(url, auth=LOGIN, timeout=30)
        assert page.status_code == 200
        styles = requests.get(
            f"http://127.0.0.1:{door}/flower/static/css/flower.css", timeout=30
        )
        assert styles.status_code == 200
        assert "/flower/static/css/flower.css" in page.text

    def test_nothing_that_asks_for_no_password_does(self, door: int) -> None:
        for target in OPEN_PAGES:
            status, body = raw_request(door, target)
            assert status in (400, 401, 404, 421, 502), target
            assert "flower_" not in body, target
            assert not body.endswith("OK"), target

    def test_flower_itself_would_have_shown_them(self, flower: Flower) -> None:
        assert "flower_" in flower.get("/flower/metrics", auth=None).text
        assert flower.get("/flower/healthcheck", auth=None).text == "OK"


def raw_request(port: int, target: str) -> tuple[int, str]:
    """Status and body; nothing on the way corrects what is asked for."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read().decode(errors="replace")
    headers, _, body = answer.partition("\r\n\r\n")
    return int(headers.split()[1]), body
