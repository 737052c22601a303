"""With deploy/rabbitmq's users each process can do its part, and nobody else starts a task."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from amqp.exceptions import AccessRefused
from kombu import Connection, Producer

from apps.catalog.models import StockItem
from apps.orders.models import Order, Status
from deploy.demo.guest import Guest
from deploy.processes import Processes
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from shop.topology import ORDER, SHOP
from tasks.models import DeadLetter
from tasks.queues import declare_queues
from tests.builders import make_variant
from tests.mail_server import mail_server
from tests.nginx import free_port
from tests.pipeline import eventually, worker_environment
from tests.virtual_host import management_url, stranger, virtual_host

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.rabbitmq,
]
PASSWORDS = {f"RABBITMQ_{role}_PASSWORD": role for role in ("RELAY", "WORKER", "FLOWER")}
Url = Callable[[str], str]


def printed(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 ours
        [sys.executable, "-m", "deploy.rabbitmq", *options],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def url(rabbitmq: str) -> Iterator[Url]:
    """The broker's URL for a role: relay, worker, flower, stranger, or one nobody knows."""
    with virtual_host(rabbitmq) as admin, stranger(admin.rpartition("/")[2]) as login:
        name = admin.rpartition("/")[2]
        made = json.loads(printed("--vhost", name, **PASSWORDS).stdout)
        api = f"{management_url()}/api"
        requests.post(f"{api}/definitions", json=made, timeout=30).raise_for_status()
        with Connection(admin) as connection:
            declare_queues(connection)
        address = admin.rpartition("@")[2]
        logins = {
            role: f"{name}-{role}:{role.upper()}" for role in ("relay", "worker", "flower")
        }
        logins["stranger"] = login
        yield lambda role: f"amqp://{logins.get(role, 'nobody:nothing')}@{address}"
        for user in made["users"]:
            requests.delete(f"{api}/users/{user['name']}", timeout=30).raise_for_status()


@contextmanager
def running(
    directory: Path, names: list[str], broker_url: str, **more: str
) -> Iterator[Processes]:
    environment = {**worker_environment(broker_url), "EMAIL_FILE_PATH": "", **more}
    with Processes(environment=environment, directory=directory) as processes:
        processes.start(names)
        yield processes


def test_an_order_goes_its_whole_way_with_no_more_rights_than_needed(
    url: Url, tmp_path: Path
) -> None:
    port = str(free_port())
    with mail_server() as (mail, mail_port), ExitStack() as stack:
        smtp = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail_port)}
        # The web never talks to the broker: it has an account that is not there.
        for directory, names, broker_url, more in (
            ("web", ["web"], url("nobody"), {"PORT": port}),
            ("relay", ["relay"], url("relay"), {}),
            ("worker", ["worker-order", "worker-email"], url("worker"), smtp),
        ):
            stack.enter_context(running(tmp_path / directory, names, broker_url, **more))
        mail.answer_to_recipient = "451 later"
        number = buy(f"http://127.0.0.1:{port}")
        refused = OutgoingEmail.objects.filter(status="queued", attempts__gte=1)
        eventually(refused.exists, what="a refused mail, which waits in the broker")
        mail.answer_to_recipient = "250 OK"
        sent = OutgoingEmail.objects.filter(status="sent")
        eventually(sent.exists, what="the mail sent after its wait")
    assert Order.objects.get(number=number).status == Status.CONFIRMED
    assert StockItem.objects.get().on_hand == 2
    assert not DeadLetter.objects.exists()
    assert not OutboxMessage.objects.waiting().exists()


def buy(address: str) -> str:
    mug = make_variant(on_hand=3)
    guest = Guest(address)
    eventually(lambda: answers(address), what="the web answers")
    guest.add_to_cart(product_id=mug.product_id, variant_id=mug.pk)
    guest.enter_address()
    order, _ = guest.check_out()
    return str(order["order_number"])


def answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/health/live", timeout=5).ok
    except requests.ConnectionError:
        return False


def publish(channel: Any, *, exchange: str) -> None:
    channel.confirm_select()
    Producer(channel).publish({}, exchange=exchange, routing_key=ORDER)
    channel.connection.drain_events(timeout=5)


ATTEMPTS: dict[str, Callable[[Any], object]] = {
    "publish to shop": lambda channel: publish(channel, exchange=SHOP.name),
    "publish to the queue": lambda channel: publish(channel, exchange=""),
    "take from the queue": lambda channel: channel.basic_get(ORDER),
    "take from the dead letters": lambda channel: channel.basic_get(f"{ORDER}.dead"),
    "empty the queue": lambda channel: channel.queue_purge(ORDER),
    "delete the queue": lambda channel: channel.queue_delete(ORDER),
    "make an exchange": lambda channel: channel.exchange_declare("tap", "fanout"),
    "bind": lambda channel: channel.queue_bind(f"{ORDER}.dead", SHOP.name, "#"),
}


def succeeded(broker_url: str) -> list[str]:
    done = []
    with Connection(broker_url) as connection:
        for name, attempt in ATTEMPTS.items():
            try:
                attempt(connection.channel())
            except AccessRefused:
                continue
            done.append(name)
    return done


@pytest.mark.parametrize(
    ("role", "allowed"), [("relay", ["publish to shop"]), ("flower", []), ("stranger", [])]
)
def test_nobody_but_the_relay_and_the_workers_can_publish(
    url: Url, role: str, allowed: list[str]
) -> None:
    assert succeeded(url(role)) == allowed


def test_flower_watches_and_asks_with_its_own_rights(url: Url, tmp_path: Path) -> None:
    port = str(free_port())
    management = management_url().rpartition("@")[2]
    login = url("flower").removeprefix("amqp://").partition("@")[0]
    environment = {
        "FLOWER_BASIC_AUTH": "flora:s3cret",
        "FLOWER_PORT": port,
        "FLOWER_DB": str(tmp_path / "state"),
        "RABBITMQ_MANAGEMENT_URL": f"http://{login}@{management}",
    }
    with (
        running(tmp_path / "w", ["worker-search"], url("worker")),
        running(tmp_path / "f", ["flower"], url("flower"), **environment),
    ):

        def shown(path: str) -> str:
            try:
                page = f"http://127.0.0.1:{port}/flower/api/{path}"
                return requests.get(page, auth=("flora", "s3cret"), timeout=30).text
            except requests.ConnectionError:
                return ""

        eventually(
            lambda: "registered" in shown("workers?refresh=1"), what="an inspected worker"
        )
        eventually(lambda: '"messages"' in shown("queues/length"), what="a queue's length")


def test_says_in_one_line_which_password_is_missing() -> None:
    ended = printed(RABBITMQ_RELAY_PASSWORD="x", RABBITMQ_WORKER_PASSWORD="")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "Not set: RABBITMQ_WORKER_PASSWORD, RABBITMQ_FLOWER_PASSWORD\n"
