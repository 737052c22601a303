"""What a replay publishes, and what cannot be replayed."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from shop.celery import app
from shop.outbox.models import MAX_ATTEMPTS, OutboxMessage
from shop.topology import WORK_QUEUES
from tasks.models import DeadLetter
from tasks.order_pipeline import update_inventory
from tasks.outbox import steps_for
from tasks.publisher import publisher_for
from tasks.relay import relay_batch
from tasks.replaying import replay, why_not
from tests.builders import NOON
from tests.concurrently import run_at_once
from tests.statements import counted

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOON.replace(year=NOON.year + 10)
UPDATE, CONFIRM = "tasks.order_pipeline.update_inventory", "tasks.order_pipeline.confirm"


def make_letter(**facts: Any) -> DeadLetter:
    task_id = facts.pop("task_id", str(uuid.uuid4()))
    values = {
        "task": UPDATE,
        "queue": "order.process",
        "arguments": {"order_id": 7},
        "order_id": 7,
        "reason": "ValueError: no",
        "attempts": 21,
        "chain": [step(CONFIRM), step("tasks.email.send_order_confirmation")],
        "context": {"request_id": "r-1"},
    }
    DeadLetter.objects.record(task_id=task_id, now=NOON, **{**values, **facts})
    return DeadLetter.objects.get(task_id=task_id)


def step(task: str) -> dict[str, Any]:
    return {"task": task, "task_id": str(uuid.uuid4()), "args": [], "kwargs": {"order_id": 7}}


def replay_all() -> list[str]:
    """Why not, of each that was refused."""
    outcome = replay(DeadLetter.objects.all(), now=NOON)
    return [reason for _, reason in outcome.refused]


def published() -> list[Any]:
    """The messages on the work queues, taken off."""
    found = []
    with app.connection_for_write() as broker:
        for queue in WORK_QUEUES:
            bound = queue(broker.default_channel)
            bound.declare()
            while (message := bound.get(no_ack=True)) is not None:
                found.append(message)
    return found


def relay(*, minutes: int = 0) -> None:
    publisher = publisher_for(app)
    relay_batch(publisher, now=LATER + timedelta(minutes=minutes))
    publisher.close()


def test_publishes_the_same_ids_and_a_fresh_set_of_retries() -> None:
    published()
    letter = make_letter(message={"headers": {"x-death": [1], "x-delivery-count": 9}})
    assert replay_all() == []
    relay()
    (message,) = published()
    headers = message.headers
    assert (headers["id"], headers["task"], headers["retries"]) == (letter.task_id, UPDATE, 0)
    assert (headers["replay"], headers["request_id"]) == (1, "r-1")
    assert [name for name in headers if name.startswith("x-")] == []
    args, kwargs, embedded = message.decode()
    assert (args, kwargs) == ([], {"order_id": 7})
    chain = [(step["task"], step["options"]["task_id"]) for step in embedded["chain"][::-1]]
    assert chain == [(step["task"], step["task_id"]) for step in letter.chain]


def test_marks_the_first_step_only_and_keeps_the_context_of_all() -> None:
    make_letter()
    replay_all()
    first, *rest = steps_for(OutboxMessage.objects.get())
    assert first.options["headers"] == {"request_id": "r-1", "replay": 1}
    assert [step.options["headers"] for step in rest] == [{"request_id": "r-1"}] * 2
    assert all(step.immutable for step in [first, *rest])


def test_eight_people_at_once_replay_a_letter_once() -> None:
    make_letter()
    results = run_at_once([lambda: len(replay_all())] * 8)
    assert sorted(results) == [0] + [1] * 7  # type: ignore[type-var]  # no exceptions
    assert OutboxMessage.objects.count() == 1
    assert DeadLetter.objects.get().replays == 1


def test_costs_the_same_for_one_and_for_many() -> None:
    make_letter()
    with counted() as one:
        replay_all()
    for _ in range(20):
        make_letter()
    with counted() as many:
        replay_all()
    assert len(many) == len(one)
    assert OutboxMessage.objects.count() == 21


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"task": "tasks.gone"}, "This version of the shop has no task tasks.gone."),
        ({"chain": [step("tasks.gone")]}, "This version of the shop has no task tasks.gone."),
        ({"chain": [CONFIRM]}, "An older version kept it, and did not note all about "),
        ({"task_id": "foreign-ab", "task": "none"}, "Nobody can tell which task it asks for."),
        ({"queue": "outbox", "task": "order.placed"}, "Its outbox message is no longer "),
    ],
)
def test_refuses_what_cannot_be_started_and_says_why(
    facts: dict[str, Any], reason: str
) -> None:
    letter = make_letter(**facts)
    if facts.get("queue") == "outbox":
        DeadLetter.objects.update(task_id=(task_id := str(uuid.uuid4())))
        letter.task_id = task_id
    assert why_not(letter).startswith(reason)
    (refusal,) = replay_all()
    assert refusal.startswith(reason)
    assert not OutboxMessage.objects.exists()
    assert DeadLetter.objects.get().status == "open"


@pytest.mark.parametrize("status", ["replayed", "succeeded", "discarded"])
def test_refuses_a_letter_that_is_not_open(status: str) -> None:
    letter = make_letter()
    DeadLetter.objects.update(status=status)
    letter.refresh_from_db()
    assert why_not(letter) == f"It is {status} already."
    assert replay_all() == [f"It is {status} already."]
    assert not OutboxMessage.objects.exists()


def gave_up_in_the_outbox() -> OutboxMessage:
    with transaction.atomic():
        OutboxMessage.publish("order.placed", wrong=7)
    for minute in range(MAX_ATTEMPTS):
        relay(minutes=minute)
    assert DeadLetter.objects.open().count() == 1
    return OutboxMessage.objects.get()


def test_revives_an_outbox_message_under_its_uuid() -> None:
    published()
    message = gave_up_in_the_outbox()
    OutboxMessage.objects.update(payload={"order_id": 7})
    assert replay_all() == []
    relay()
    (sent,) = published()
    again = OutboxMessage.objects.get()
    assert (again.uuid, again.gave_up_at) == (message.uuid, None)
    assert sent.headers["id"] == str(uuid.uuid5(message.uuid, UPDATE))
    letter = DeadLetter.objects.get()
    assert (letter.status, letter.resolution, letter.times) == ("succeeded", "published", 1)


def test_an_outbox_message_that_fails_again_says_so_on_the_same_row() -> None:
    gave_up_in_the_outbox()
    replay_all()
    for minute in range(MAX_ATTEMPTS):
        assert DeadLetter.objects.get().status == "replayed"
        relay(minutes=minute)
    letter = DeadLetter.objects.get()
    assert (letter.status, letter.times, letter.replays) == ("open", 2, 1)


def test_an_ordinary_task_asks_nothing_about_letters() -> None:
    task: Any = update_inventory  # a ShopTask, which its type does not say
    task.push_request(id="ordinary", headers={"request_id": "r-1"})
    try:
        with counted() as statements:
            task.on_success("confirmed", "ordinary", (), {})
    finally:
        task.pop_request()
    assert statements == []
