"""manage.py declare_queues makes what is missing, and says what differs and what to do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from kombu import Connection, Exchange, Producer

from shop.topology import (
    DEAD_LETTERS,
    DEAD_QUEUES,
    EMAIL,
    ORDER,
    SHOP,
    UNROUTED_QUEUE,
    WORK_QUEUES,
)
from tasks.queues import QueuesDiffer, declare_queues
from tests.virtual_host import management_url, stranger, virtual_host

pytestmark = pytest.mark.rabbitmq

MADE = [
    "exchange shop (topic)",
    "queue order.process",
    "queue order.process.dead",
    "queue shop.unrouted",
]


@pytest.fixture
def broker(rabbitmq: str) -> Iterator[Connection]:
    """A connection to an empty virtual host."""
    with virtual_host(rabbitmq) as url, Connection(url) as connection:
        yield connection


def declare(broker_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 ours
        [sys.executable, "manage.py", "declare_queues"],
        env={
            **os.environ,
            "CELERY_BROKER_URL": broker_url,
            "RABBITMQ_MANAGEMENT_URL": management_url() if "amqp" in broker_url else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def url(broker: Connection) -> str:
    return str(broker.as_uri(include_password=True))


def refused(broker: Connection) -> list[str]:
    """The lines of what it says when it does not agree."""
    with broker.clone() as connection, pytest.raises(QueuesDiffer) as refusal:
        declare_queues(connection)
    return [line.strip() for line in str(refusal.value).splitlines()]


def declare_otherwise(broker: Connection, name: str, arguments: dict[str, Any]) -> None:
    channel: Any = broker.default_channel
    channel.queue_delete(name)
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)


def as_declared(name: str) -> dict[str, Any]:
    (queue,) = [one for one in [*WORK_QUEUES, *DEAD_QUEUES] if one.name == name]
    return dict(queue.queue_arguments or {})


def bindings(broker: Connection) -> list[dict[str, Any]]:
    answer = requests.get(f"{management_url()}/api/bindings/{broker.virtual_host}", timeout=30)
    rows: list[dict[str, Any]] = answer.json()
    return rows


def publish(broker: Connection, queue: str) -> None:
    channel: Any = broker.channel()
    channel.confirm_select()
    Producer(channel).publish({"order_id": 7}, routing_key=queue, delivery_mode=2)
    broker.drain_events(timeout=5)  # its confirm


class TestDeclaring:
    def test_makes_all_and_says_on_which_broker(self, broker: Connection) -> None:
        ended = declare(url(broker))
        assert (ended.returncode, ended.stderr) == (0, "")
        lines = ended.stdout.splitlines()
        version = broker.connection.server_properties["version"]
        assert lines[0] == f"RabbitMQ {version}, virtual host {broker.virtual_host}"
        assert set(MADE) < set(lines)

    def test_changes_nothing_the_second_time(self, broker: Connection) -> None:
        first = declare_queues(broker)
        publish(broker, ORDER)
        before = bindings(broker)
        assert declare_queues(broker) == first
        assert bindings(broker) == before
        channel: Any = broker.default_channel
        assert channel.basic_get(ORDER) is not None

    def test_makes_what_is_missing_beside_what_is_there(self, broker: Connection) -> None:
        declare_queues(broker)
        complete = bindings(broker)
        channel: Any = broker.default_channel
        channel.queue_delete(f"{ORDER}.dead")
        channel.queue_unbind(ORDER, SHOP.name, f"#.{ORDER}")
        channel.exchange_delete("celery_delayed_3")
        declare_queues(broker)
        assert sorted(map(str, bindings(broker))) == sorted(map(str, complete))

    def test_makes_them_on_redis_and_says_what_means_nothing_there(self) -> None:
        ended = declare(os.environ["REDIS_URL"].rpartition("/")[0] + "/3")
        assert ended.returncode == 0
        first, *others = ended.stdout.splitlines()
        assert first.startswith("Redis ")
        assert "their arguments, the delivery limit for one, mean nothing" in first
        assert set(MADE) <= set(others)


class TestDiffering:
    def test_ends_the_command_with_1_and_no_word_of_success(self, broker: Connection) -> None:
        declare_otherwise(broker, ORDER, {})
        ended = declare(url(broker))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("CommandError: The broker has otherwise than this")

    def test_names_every_queue_and_every_argument_that_differs(
        self, broker: Connection
    ) -> None:
        declare_otherwise(broker, ORDER, as_declared(ORDER) | {"x-delivery-limit": 10})
        declare_otherwise(
            broker,
            EMAIL,
            as_declared(EMAIL) | {"x-dead-letter-routing-key": "mail", "x-expires": 9_000_000},
        )
        lines = refused(broker)
        assert sorted(line for line in lines if line.startswith("queue ")) == [
            f"queue {EMAIL}: x-dead-letter-routing-key is mail, declared is {EMAIL}",
            f"queue {EMAIL}: x-expires is 9000000, declared is not set",
            f"queue {ORDER}: x-delivery-limit is 10, declared is 20",
        ]

    def test_names_the_type_of_a_classic_queue(self, broker: Connection) -> None:
        declare_otherwise(broker, ORDER, {"x-queue-type": "classic"})
        assert f"queue {ORDER}: x-queue-type is classic, declared is quorum" in refused(broker)

    def test_names_a_dead_letter_queue_that_drops_what_is_looked_at(
        self, broker: Connection
    ) -> None:
        name = f"{ORDER}.dead"
        declare_otherwise(broker, name, {"x-queue-type": "quorum"})
        what = "x-delivery-limit is not set, declared is 1000000"
        assert f"queue {name}: {what}" in refused(broker)

    @pytest.mark.parametrize(
        ("found", "what"),
        [
            (
                Exchange(SHOP.name, type="direct", arguments=SHOP.arguments),
                "type is direct, declared is topic",
            ),
            (
                Exchange(SHOP.name, type="topic"),
                "alternate-exchange is not set, declared is shop.unrouted",
            ),
            (
                Exchange(SHOP.name, type="topic", durable=False, arguments=SHOP.arguments),
                "durable is false, declared is true",
            ),
        ],
    )
    def test_names_an_exchange_that_differs(
        self, broker: Connection, found: Exchange, what: str
    ) -> None:
        found(broker.default_channel).declare()
        lines = refused(broker)
        assert lines[1] == f"exchange shop: {what}"
        advice = "Delete the exchange shop on the management pages: it holds no messages."
        assert advice in lines

    def test_names_a_waiting_queue_of_retries_that_differs(self, broker: Connection) -> None:
        declare_otherwise(broker, "celery_delayed_3", {"x-queue-type": "quorum"})
        assert refused(broker)[1].startswith("queue celery_delayed_3: x-")

    def test_names_an_exclusive_queue_in_the_words_of_the_broker(
        self, broker: Connection
    ) -> None:
        channel: Any = broker.default_channel
        channel.queue_declare(ORDER, exclusive=True)
        assert "exclusive" in refused(broker)[1]

    def test_can_be_mended_as_it_says_and_loses_nothing_before(
        self, broker: Connection
    ) -> None:
        declare_otherwise(broker, ORDER, as_declared(ORDER) | {"x-delivery-limit": 10})
        publish(broker, ORDER)
        command = f"rabbitmqctl delete_queue --vhost {broker.virtual_host} {ORDER}"
        assert command in refused(broker)
        channel: Any = broker.default_channel
        assert channel.basic_get(ORDER, no_ack=True) is not None
        channel.queue_delete(ORDER)
        declare_queues(broker)


class TestStrayBindings:
    def test_are_named_and_left_alone(self, broker: Connection) -> None:
        declare_queues(broker)
        channel: Any = broker.default_channel
        channel.queue_bind(EMAIL, SHOP.name, "order.*")
        channel.exchange_bind(DEAD_LETTERS.name, "amq.topic", "#")
        before = bindings(broker)
        ended = declare(url(broker))
        assert ended.returncode == 0
        assert [line.partition(": ")[0] for line in ended.stderr.splitlines()] == [
            "binding amq.topic to shop.dlx, key #",
            f"binding shop to {EMAIL}, key order.*",
        ]
        assert bindings(broker) == before


class TestRefusal:
    def test_of_a_user_who_may_not_declare(self, broker: Connection) -> None:
        with stranger(broker.virtual_host) as login:
            ended = declare(url(broker).replace(login_of(broker), login))
        assert ended.returncode == 1
        assert "This user of the broker may not declare: ACCESS_REFUSED" in ended.stderr

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (("@", "x@"), "Login was refused"),
            (("/test-", "/tset-"), "not found"),
        ],
    )
    def test_of_a_wrong_address(
        self, broker: Connection, change: tuple[str, str], reason: str
    ) -> None:
        ended = declare(url(broker).replace(*change))
        (line,) = ended.stderr.splitlines()
        assert ended.returncode == 1
        assert line.startswith("CommandError: The broker cannot be used: ")
        assert reason in line


def login_of(broker: Connection) -> str:
    return f"{broker.userid}:{broker.password}"


class TestKeeping:
    @pytest.mark.parametrize("name", [f"{ORDER}.dead", UNROUTED_QUEUE.name])
    def test_what_is_looked_at_fifty_times_is_still_there(
        self, broker: Connection, name: str
    ) -> None:
        declare_queues(broker)
        publish(broker, name)
        for _ in range(50):
            look = requests.post(
                f"{management_url()}/api/queues/{broker.virtual_host}/{name}/get",
                json={"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"},
                timeout=30,
            )
            assert len(look.json()) == 1
