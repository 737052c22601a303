"""Each way to give up becomes one row with its reason, on both brokers."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.orders.checkout import place_order
from apps.orders.models import Order
from shop.celery import app
from shop.topology import DEAD_QUEUES, ORDER
from tasks.dead_letters import collect_dead_letters
from tasks.models import DeadLetter
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually
from tests.poison import ask_database, never_end

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.usefixtures("nothing_left_over"),
]
CONFIRM = "tasks.order_pipeline.confirm"
CANCEL = "tasks.order_pipeline.cancel"
NO_ORDER = 987_654_321


def collected(number: int = 1) -> None:
    """Collect until `number` messages in all came back, to beat's collector or to this one."""

    def enough() -> bool:
        collect_dead_letters(now=timezone.now())
        return returned() >= number

    eventually(enough, what=f"{number} buried messages collected")
    assert returned() == number


def returned() -> int:
    """How many messages the broker has given back so far."""
    letters = DeadLetter.objects.exclude(message=None)
    return sum(letters.values_list("times", flat=True))


def the_letter() -> DeadLetter:
    """The one letter, its message collected where the broker keeps it."""
    eventually(DeadLetter.objects.exists, what="a dead letter")
    return DeadLetter.objects.get()


def test_an_unknown_order_gives_up_at_once(pipeline: Pipeline) -> None:
    pipeline.send(CONFIRM, order_id=NO_ORDER)
    letter = the_letter()
    assert letter.reason == "Order.DoesNotExist: Order matching query does not exist."
    assert "DoesNotExist" in letter.error.splitlines()[-1]
    assert (letter.attempts, letter.times, letter.order_id) == (1, 1, NO_ORDER)
    if pipeline.broker == "amqp":
        collected()
        letter.refresh_from_db()
        assert (letter.times, letter.message["headers"]["id"]) == (1, letter.task_id)  # type: ignore[index]  # not None
        assert letter.message["headers"]["x-death"][0]["reason"] == "rejected"  # type: ignore[index]  # not None


@pytest.mark.parametrize("arguments", [{}, {"order_id": NO_ORDER, "extra": 1}])
def test_a_missing_argument_is_a_reason_and_an_unknown_one_is_none(
    pipeline: Pipeline, arguments: dict[str, int]
) -> None:
    pipeline.send(CONFIRM, **arguments)
    expected = "Order.DoesNotExist" if arguments else "TypeError: "
    assert the_letter().reason.startswith(expected)
    assert the_letter().arguments == arguments


def test_retries_that_are_used_up(pipeline: Pipeline) -> None:
    with pipeline.worker_with_poison():
        # An unknown argument is no obstacle to a retry either.
        pipeline.send("tests.poison.reach_nobody", order_id=5, extra=1)
        letter = the_letter()
    assert letter.reason == "ConnectionError: nobody answers about 5"
    assert letter.attempts == 3
    if pipeline.broker == "amqp":
        collected()
        letter.refresh_from_db()
        assert (letter.attempts, letter.times) == (3, 1)


def test_a_worker_without_its_database_leaves_the_message(pipeline: Pipeline) -> None:
    nobody = "postgres://ecommerce_user@127.0.0.1:1/ecommerce"
    with pipeline.worker_with_poison(DATABASE_URL=nobody):
        pipeline.send(ask_database.name, order_id=5)
        collected()
    letter = DeadLetter.objects.get()
    assert (letter.task, letter.order_id, letter.queue) == (
        ask_database.name,
        5,
        ORDER,
    )
    if pipeline.broker == "redis":
        assert letter.reason.startswith("OperationalError: ")
        assert "OperationalError" in letter.error
    else:
        assert letter.reason.startswith("rejected: ")


def test_a_worker_that_is_told_to_end_waits_for_no_task_beyond_the_hard_limit(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    assert app.conf.task_time_limit < 30
    started = tmp_path / "started"
    with pipeline.worker_with_poison(POISON_RUNS=str(started)) as worker:
        pipeline.send(never_end.name, order_id=5)
        eventually(started.exists, what="the task started")
        worker.terminate()
        worker.wait(timeout=20)
        assert pipeline.depth(ORDER) == 1
    collected()  # the worker of every day does not know this task


def test_a_task_of_another_version(pipeline: Pipeline) -> None:
    pipeline.send("tasks.order_pipeline.gift_wrap", order_id=5, color="red")
    collected()
    letter = DeadLetter.objects.get()
    assert letter.reason == "unknown task 'tasks.order_pipeline.gift_wrap'"
    assert letter.arguments == {"order_id": 5, "color": "red"}
    assert (letter.order_id, letter.queue, letter.status) == (5, ORDER, "open")


def task_headers(task: str = CONFIRM, **fields: Any) -> dict[str, Any]:
    task_id = str(uuid.uuid4())
    message = app.amqp.create_task_message(task_id, task, (), {"order_id": NO_ORDER})
    return {**message.headers, **fields}


def body(*parts: Any) -> bytes:
    return json.dumps(parts).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'[[], {"order_id": 1', "body cannot be read: JSONDecodeError: "),
        (b"\xff\xfe\x00", "body cannot be read: UnicodeDecodeError: "),
        (b'"order"', "body cannot be read: it is no list of three"),
        (body([], {}), "body cannot be read: it is no list of three"),
        (body([], ["order_id"], {}), "body cannot be read: its arguments are not "),
        (body([], {}, {"chain": ["confirm"]}), "body cannot be read: its chain is malformed"),
        (body([], {}, {"chain": "x"}), "body cannot be read: its chain is malformed"),
    ],
)
def test_a_body_that_cannot_be_read_is_kept_and_never_loops(
    pipeline: Pipeline, raw: bytes, reason: str
) -> None:
    pipeline.send_raw(raw, headers=task_headers())
    collected()
    letter = DeadLetter.objects.get()
    assert letter.reason.startswith(reason)
    assert letter.task_id.startswith("foreign-")
    assert letter.message["unreadable"] == letter.reason  # type: ignore[index]  # not None
    assert_still_working(pipeline)


def test_a_message_that_is_no_task_is_counted_each_time(pipeline: Pipeline) -> None:
    for _ in range(3):
        pipeline.send_raw(b'{"hello": "world"}')
    collected(3)
    letter = DeadLetter.objects.get()
    assert letter.reason == "not a task: it has no usable task name and id"
    assert (letter.times, letter.task, letter.order_id) == (3, "none", None)
    assert letter.message["body"] == '{"hello": "world"}'  # type: ignore[index]  # not None
    assert_still_working(pipeline)


@pytest.mark.parametrize("headers", [{"eta": "soon"}, {"timelimit": 5}, {"expires": [1]}])
def test_headers_of_another_kind_end_no_worker(
    pipeline: Pipeline, headers: dict[str, Any]
) -> None:
    pipeline.send_raw(body([], {"order_id": 5}, {}), headers=task_headers(**headers))
    collected()
    assert DeadLetter.objects.get().arguments == {"order_id": 5}
    assert_still_working(pipeline)


def test_headers_that_nobody_knows_do_no_harm(pipeline: Pipeline) -> None:
    mug, ada = make_variant(on_hand=1), make_customer()
    order = place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
    raw = body([], {"order_id": order.pk}, {"callbacks": None, "newer": [1]})
    pipeline.send_raw(raw, headers=task_headers(CANCEL, newer={"a": 1}, version=7))
    cancelled = Order.objects.filter(pk=order.pk, status="cancelled")
    eventually(cancelled.exists, what="the order cancelled")
    assert not DeadLetter.objects.exists()


@pytest.mark.filterwarnings("ignore::kombu.transport.virtual.base.UndeliverableWarning")
def test_a_key_that_no_queue_takes(pipeline: Pipeline) -> None:
    pipeline.send_raw(body([], {"order_id": 5}, {}), key="order.proces", headers=task_headers())
    collected()
    letter = DeadLetter.objects.get()
    assert letter.reason == "no queue takes the routing key 'order.proces'"
    assert (letter.task, letter.order_id, letter.queue) == (CONFIRM, 5, "shop.unrouted")


def assert_still_working(pipeline: Pipeline) -> None:
    """The worker is the one that it was, and nothing is left on the queues."""
    assert "worker-order" in pipeline.processes.alive()
    before = returned()
    pipeline.send(CONFIRM, order_id=NO_ORDER)
    fresh = DeadLetter.objects.filter(order_id=NO_ORDER, task=CONFIRM)
    eventually(fresh.exists, what="the next message worked on")
    if pipeline.broker == "amqp":
        collected(before + 1)
    assert [pipeline.depth(queue.name) for queue in DEAD_QUEUES] == [0, 0, 0]
