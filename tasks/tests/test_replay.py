"""A replayed letter runs the rest of its chain, as if nothing had happened; once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.orders import fulfilment
from apps.orders.checkout import ORDER_PLACED, place_order
from apps.orders.models import Order, Status
from shop.celery import app
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter
from tasks.publisher import publisher_for
from tasks.relay import relay_batch
from tasks.replaying import replay
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually
from tests.poison import reach_at_fifth_try

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.usefixtures("nothing_left_over"),
]


def announced_too_early(number: int) -> list[int]:
    """Ids of orders that do not exist yet, whose pipeline has given up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('orders_order', 'id'))"
            " FROM generate_series(1, %s)",
            [number],
        )
        ids = [row[0] for row in cursor.fetchall()]
    with transaction.atomic():
        OutboxMessage.publish_many(ORDER_PLACED, [{"order_id": pk} for pk in ids])
    eventually(lambda: open_letters() == number, what="a dead letter for each")
    return ids


def open_letters() -> int:
    return DeadLetter.objects.open().count()


@transaction.atomic
def place(ids: list[int]) -> None:
    """The orders with these ids: what made them give up is mended."""
    ada, mug = make_customer(), make_variant(on_hand=len(ids))
    for pk in ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('orders_order', 'id'), %s, false)", [pk]
            )
        place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
    OutboxMessage.objects.filter(topic=ORDER_PLACED, sent_at=None).delete()


def replay_all() -> None:
    outcome = replay(DeadLetter.objects.all(), now=timezone.now())
    assert not outcome.refused


def succeeded() -> int:
    return DeadLetter.objects.filter(status="succeeded").count()


def test_runs_the_whole_rest_of_the_chain_and_mails_once(pipeline: Pipeline) -> None:
    ids = announced_too_early(3)
    place(ids)
    replay_all()
    sent = OutgoingEmail.objects.filter(status="sent")
    eventually(lambda: sent.count() == 3, what="every e-mail sent")
    assert set(Order.objects.values_list("status", flat=True)) == {Status.CONFIRMED}
    eventually(lambda: succeeded() == 3, what="every letter settled")
    letters = list(DeadLetter.objects.all())
    assert {letter.resolution for letter in letters} == {"pending"}
    assert {(letter.times, letter.replays) for letter in letters} == {(1, 1)}
    assert len(pipeline.mail.taken) == 3


def test_says_on_the_same_row_that_it_gave_up_again(pipeline: Pipeline) -> None:
    announced_too_early(1)
    replay_all()
    again = DeadLetter.objects.open().filter(times=2, replays=1)
    eventually(again.exists, what="the letter open again")
    letter = DeadLetter.objects.get()
    assert letter.reason.startswith("Order.DoesNotExist")
    assert letter.replayed_at is not None
    assert (letter.last_at > letter.replayed_at, letter.resolved_at) == (True, None)


def test_finds_a_cancelled_order_and_does_nothing(pipeline: Pipeline) -> None:
    ids = announced_too_early(1)
    place(ids)
    fulfilment.cancel(ids[0], now=NOON)
    replay_all()
    eventually(lambda: succeeded() == 1, what="the letter settled")
    assert DeadLetter.objects.get().resolution == "cancelled"
    eventually(pipeline.is_idle, what="the rest of the chain done")
    assert Order.objects.get().status == Status.CANCELLED
    assert (OutgoingEmail.objects.count(), pipeline.mail.taken) == (0, [])


def test_refuses_a_step_that_a_cancelled_order_cannot_take(pipeline: Pipeline) -> None:
    ids = announced_too_early(1)
    place(ids)
    with transaction.atomic():
        OutboxMessage.publish(fulfilment.SHIPMENT_REQUESTED, order_id=ids[0])
    eventually(lambda: open_letters() == 2, what="a letter of the shipment")
    fulfilment.cancel(ids[0], now=NOON)
    shipment = DeadLetter.objects.filter(task="tasks.order_pipeline.ship")
    replay(shipment, now=timezone.now())
    eventually(shipment.filter(times=2, status="open").exists, what="it gave up again")
    assert "cannot go from cancelled to shipped" in shipment.get().reason


def test_a_replay_that_is_retried_is_still_that_replay(
    pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory
) -> None:
    marks = tmp_path_factory.mktemp("tries") / "marks"
    with pipeline.worker_with_poison(POISON_RUNS=str(marks)), own_relay(pipeline):
        pipeline.send(reach_at_fifth_try.name, order_id=5)
        eventually(lambda: open_letters() == 1, what="it gave up at the third try")
        replay_all()
        relay()
        eventually(lambda: succeeded() == 1, what="the letter settled")
    letter = DeadLetter.objects.get()
    assert (letter.resolution, letter.times, letter.attempts) == ("reached", 1, 3)
    assert os.path.getsize(marks) == 5


@contextmanager
def own_relay(pipeline: Pipeline) -> Iterator[None]:
    """The running relay does not know the tasks of tests/poison.py; this process does."""
    with pipeline.paused("relay"):
        yield


def relay() -> None:
    publisher = publisher_for(app)
    relay_batch(publisher, now=timezone.now())
    publisher.close()
