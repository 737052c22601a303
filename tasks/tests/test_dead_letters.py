"""The collector: what the broker has buried becomes rows, each once, whoever dies."""

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from celery.app.task import Context
from django.db import connection as database
from django_celery_results.models import TaskResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu.exceptions import OperationalError

from shop.celery import app
from shop.topology import (
    ALL_QUEUES,
    DEAD_LETTERS,
    DEAD_QUEUES,
    EMAIL,
    ORDER,
    SHOP,
    WORK_QUEUES,
)
from tasks.dead_letters import collect_dead_letters
from tasks.dead_queues import GAVE_UP_HEADER
from tasks.models import DeadLetter
from tasks.queues import declare_queues
from tests.builders import NOON
from tests.pipeline import CONFIRMED, eventually, worker_environment

pytestmark = pytest.mark.django_db(transaction=True)
CONFIRM = "tasks.order_pipeline.confirm"
LATER = NOON + timedelta(hours=1)


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The broker's name; it has the queues, and nothing in them."""
    if request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq")
        monkeypatch.setenv("CELERY_BROKER_URL", url)  # Celery prefers it to its settings
    with app.connection_for_write() as connection:
        declare_queues(connection)
        for queue in ALL_QUEUES:
            queue(connection.default_channel).purge()
    return str(request.param)


def bury(*, queue: str = ORDER, **headers: Any) -> str:
    """Put a message on a dead-letter queue; returns its task id."""
    task_id = str(uuid.uuid4())
    message = app.amqp.create_task_message(
        task_id,
        CONFIRM,
        (),
        {"order_id": 7},
        chain=[
            {"task": "last", "args": [], "kwargs": {}, "options": {"task_id": "id-3"}},
            {"task": "next", "args": [], "kwargs": {}, "options": {"task_id": "id-2"}},
        ],
    )
    with app.connection_for_write(transport_options=CONFIRMED) as connection:
        connection.Producer().publish(
            message.body,
            exchange=DEAD_LETTERS,
            routing_key=queue,
            headers={**message.headers, **headers},
            serializer="json",
        )
    return task_id


def collect(**options: Any) -> int:
    return collect_dead_letters(now=LATER, **options)


def test_keeps_all_that_a_message_can_tell(broker: str) -> None:
    task_id = bury(queue=EMAIL, retries=3, request_id="r-1", order="KX42")
    assert collect() == 1
    letter = DeadLetter.objects.get()
    assert (letter.task_id, letter.task, letter.queue) == (task_id, CONFIRM, EMAIL)
    assert (letter.order_id, letter.arguments, letter.args) == (7, {"order_id": 7}, [])
    assert [(step["task"], step["task_id"]) for step in letter.chain] == [
        ("next", "id-2"),
        ("last", "id-3"),
    ]
    assert letter.context == {"request_id": "r-1", "order": "KX42"}
    assert (letter.attempts, letter.times, letter.first_at) == (4, 1, LATER)
    assert json.loads(letter.message["body"])[1] == {"order_id": 7}  # type: ignore[index]  # not None
    assert collect() == 0


def test_takes_no_more_than_the_limit_and_the_rest_next_time(broker: str) -> None:
    for _ in range(5):
        bury()
    assert [collect(limit=2), collect(limit=2), collect(limit=2)] == [2, 2, 1]
    assert DeadLetter.objects.count() == 5


def test_completes_the_row_that_the_task_itself_has_written(broker: str) -> None:
    task_id = bury()
    record(task_id)
    collect()
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.error, letter.times) == ("ValueError: no", "lines", 1)
    assert (letter.last_at, letter.status) == (NOON, "open")
    assert [step["task"] for step in letter.chain] == ["next", "last"]
    assert letter.message is not None


def record(task_id: str) -> None:
    DeadLetter.objects.record(
        task_id=task_id, task=CONFIRM, reason="ValueError: no", error="lines", now=NOON
    )


def test_a_replay_that_failed_without_a_word_opens_its_row_again(broker: str) -> None:
    task_id = bury(replay=1)
    record(task_id)
    DeadLetter.objects.update(status="replayed", replays=1, replayed_at=NOON)
    collect()
    letter = DeadLetter.objects.get()
    assert (letter.status, letter.times, letter.replays) == ("open", 2, 1)


def test_a_message_older_than_the_replay_opens_nothing(broker: str) -> None:
    task_id = bury()
    record(task_id)
    DeadLetter.objects.update(status="replayed", replays=1, replayed_at=NOON)
    collect()
    letter = DeadLetter.objects.get()
    assert (letter.status, letter.times) == ("replayed", 1)
    assert letter.message is not None


@pytest.mark.parametrize("status", ["discarded", "succeeded"])
def test_a_settled_letter_is_opened_by_a_later_death_only(broker: str, status: str) -> None:
    for minutes, expected in ((-1, (status, 1)), (1, ("open", 2))):
        DeadLetter.objects.all().delete()
        died_at = (NOON + timedelta(minutes=minutes)).isoformat()
        died: dict[str, Any] = {GAVE_UP_HEADER: {"reason": "late", "at": died_at}}
        task_id = bury(**died)
        record(task_id)
        DeadLetter.objects.update(status=status, resolved_at=NOON)
        collect()
        letter = DeadLetter.objects.get()
        assert (letter.status, letter.times) == expected


@pytest.mark.parametrize(
    ("given", "kept"), [("a\0b", "a\ufffdb"), ("\ud800", "\ufffd"), ("naïve 🎈", "naïve 🎈")]
)
def test_keeps_text_that_the_database_cannot_hold(broker: str, given: str, kept: str) -> None:
    send_body(json.dumps([[given], {given: given, "order_id": 2**70}, {}]).encode())
    assert collect() == 1
    letter = DeadLetter.objects.get(args__0=kept)
    assert letter.arguments == {kept: kept, "order_id": 2**70}
    assert letter.order_id is None


def send_body(raw: bytes) -> None:
    headers = {"task": CONFIRM, "id": str(uuid.uuid4())}
    with app.connection_for_write(transport_options=CONFIRMED) as connection:
        connection.Producer().publish(
            raw,
            exchange=DEAD_LETTERS,
            routing_key=ORDER,
            headers=headers,
            content_type="application/json",
        )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"[" * 50_000, "body cannot be read: "),
        (b'[[], {"a": "' + b"x" * 200_000 + b'"}, {}]', "body cannot be read: it has 200019 "),
        (b"\x80\x81", "body cannot be read: UnicodeDecodeError"),
        (b"[[], {}, {}", "body cannot be read: JSONDecodeError"),
    ],
)
def test_keeps_what_it_cannot_read_and_no_more_of_it_than_fits(
    broker: str, raw: bytes, reason: str
) -> None:
    send_body(raw)
    assert collect() == 1
    letter = DeadLetter.objects.get()
    assert letter.reason.startswith(reason)
    assert len(json.dumps(letter.message)) < 150_000


@contextmanager
def refusing(condition: str) -> Iterator[None]:
    """The database takes no dead letter of which this holds."""
    with database.cursor() as cursor:
        cursor.execute(
            f"alter table tasks_deadletter add constraint refuses check (not ({condition}))"
        )
        try:
            yield
        finally:
            cursor.execute("alter table tasks_deadletter drop constraint refuses")


def test_what_no_row_can_hold_is_kept_as_a_foreign_message(broker: str) -> None:
    bury(retries=7)
    task_id = bury()
    with refusing("attempts = 8"):
        assert collect() == 2
    letter = DeadLetter.objects.get(task="none")
    assert letter.task_id.startswith("foreign-")
    assert letter.queue == ORDER
    assert letter.reason == "could not be understood: IntegrityError"
    assert "order_id" in letter.message["body"]  # type: ignore[index]  # not None
    assert DeadLetter.objects.get(task=CONFIRM).task_id == task_id
    assert collect() == 0


def test_what_cannot_be_kept_at_all_stays_and_holds_up_no_other(broker: str) -> None:
    stays = bury()
    task_id = bury(queue=EMAIL)
    with refusing(f"queue = '{ORDER}'"):
        assert collect() == 2
    assert DeadLetter.objects.get().task_id == task_id
    eventually(lambda: collect() == 1, what="the other collected")
    assert DeadLetter.objects.filter(task_id=stays).exists()


@pytest.mark.parametrize("depth", [600, 5_000])
def test_keeps_what_is_nested_too_deeply_to_be_stored(broker: str, depth: int) -> None:
    send_body(b"[[" + b"[" * depth + b"]" * depth + b"], {}, {}]")
    task_id = bury()
    assert collect() == 2
    assert DeadLetter.objects.filter(task_id=task_id).exists()
    other = DeadLetter.objects.exclude(task_id=task_id).get()
    # Python reads no list of 5,000 levels.
    assert other.task == (CONFIRM if depth == 600 else "none")


@pytest.mark.parametrize("status", ["open", "discarded"])
@pytest.mark.parametrize("at", ["9999-12-31T23:59:59.9", "0001-01-01T00:00+14:00"])
def test_a_death_at_the_end_of_time_is_one_of_now(broker: str, at: str, status: str) -> None:
    died: dict[str, Any] = {GAVE_UP_HEADER: {"reason": "late", "at": at}}
    task_id = bury(**died)
    if status == "discarded":
        record(task_id)
        DeadLetter.objects.update(status=status, resolved_at=NOON)
    assert collect() == 1
    letter = DeadLetter.objects.get()
    assert (letter.task_id, letter.status) == (task_id, status)
    assert letter.last_at == (LATER if status == "open" else NOON)


def test_the_row_is_there_before_the_message_is_gone(broker: str) -> None:
    task_id = bury()
    script = (
        "import django, os, signal; django.setup()\n"
        "from django.utils import timezone\n"
        "from tasks import dead_letters\n"
        "keep = dead_letters.keep\n"
        "def keep_and_die(*args, **kwargs):\n"
        "    keep(*args, **kwargs)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "dead_letters.keep = keep_and_die\n"
        "dead_letters.collect_dead_letters(now=timezone.now())\n"
    )
    command = [sys.executable, "-c", script]
    died = subprocess.run(command, env=worker_environment(), check=False)  # noqa: S603 our own script
    assert died.returncode == -signal.SIGKILL
    before = DeadLetter.objects.values().get(task_id=task_id)
    if broker == "redis":
        give_back_the_unacknowledged()
    assert collect() == 1
    assert DeadLetter.objects.values().get() == before
    assert collect() == 0


def give_back_the_unacknowledged() -> None:
    """What a worker does on Redis after the visibility timeout."""
    with app.connection_for_write() as connection:
        connection.transport_options = {"visibility_timeout": 0}
        channel: Any = connection.default_channel
        declare_queues(connection)
        channel.qos.restore_visible()


@pytest.mark.rabbitmq
@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)
def test_a_message_that_came_back_too_often_says_so(broker: str) -> None:
    headers = {"task": CONFIRM, "id": "back-and-forth", "retries": 0}
    with app.connection_for_write(transport_options=CONFIRMED) as connection:
        connection.Producer().publish(
            [[], {"order_id": 7}, {}], exchange=SHOP, routing_key=ORDER, headers=headers
        )
        queue = WORK_QUEUES[0](connection.default_channel)

        def is_buried() -> bool:
            while (message := queue.get()) is not None:
                message.reject(requeue=True)
            return collect() == 1

        eventually(is_buried, what="the message buried")
    letter = DeadLetter.objects.get()
    assert letter.reason.startswith("delivery_limit: it came back too often")
    assert (letter.task_id, letter.order_id) == ("back-and-forth", 7)


def test_takes_no_message_while_there_is_no_database_to_put_it_in(broker: str) -> None:
    bury()
    nobody = "postgres://ecommerce_user@127.0.0.1:1/ecommerce"
    script = (
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from tasks.dead_letters import collect_dead_letters\n"
        "collect_dead_letters(now=timezone.now())\n"
    )
    failed = subprocess.run(  # noqa: S603 our own script
        [sys.executable, "-c", script],
        env={**worker_environment(), "DATABASE_URL": nobody},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "OperationalError" in failed.stderr
    with app.connection_for_write() as connection:
        message = DEAD_QUEUES[0](connection.default_channel).get(no_ack=True)
    assert message is not None
    assert not message.delivery_info.get("redelivered")


def test_says_so_when_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(OperationalError):
        collect()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON)
def test_whatever_was_sent_can_be_stored(value: Any) -> None:
    DeadLetter.objects.record(
        task_id=str(uuid.uuid4()), task=CONFIRM, reason="any", args=[value], now=NOON
    )


def test_a_letter_names_nobody_whom_the_database_quotes() -> None:
    quote = "IntegrityError: twice\nDETAIL:  Key (email)=(ada@example.com) already exists."
    DeadLetter.objects.record(task_id="1", task="t", reason=quote, error=quote, now=NOON)
    letter = DeadLetter.objects.get()
    assert letter.reason == letter.error == "IntegrityError: twice\nDETAIL: [row]"


def test_a_result_names_nobody_whom_the_database_quotes() -> None:
    error = ValueError("twice\nDETAIL:  Key (email)=(ada@example.com) already exists.")
    request = Context(id="1", task="t", args=[], kwargs={}, delivery_info={})
    app.backend.store_result("1", error, "FAILURE", f"Traceback\n{error}", request=request)
    stored: Any = TaskResult.objects.get()
    assert "ValueError" in stored.result
    assert stored.traceback.startswith("Traceback")
    assert "ada@" not in stored.result + stored.traceback
