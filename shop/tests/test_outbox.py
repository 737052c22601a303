"""An announcement lives and dies with the transaction that it belongs to."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from shop import log_context
from shop.outbox.listen import listen, wait_for_messages
from shop.outbox.models import MAX_ATTEMPTS, OutboxMessage
from tests.builders import NOON
from tests.statements import counted


@pytest.mark.django_db(transaction=True)
def test_refuses_to_announce_outside_a_transaction() -> None:
    with pytest.raises(TransactionManagementError, match=r"order\.placed"):
        OutboxMessage.publish("order.placed", order_id=1)
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_announcement_back() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 one transaction
        OutboxMessage.publish("order.placed", order_id=1)
        raise ZeroDivisionError
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_a_thousand_announcements_are_one_statement() -> None:
    with counted() as statements:
        OutboxMessage.publish_many("order.placed", [{"order_id": n} for n in range(1000)])
    assert len(statements) == 1
    assert OutboxMessage.objects.waiting().count() == 1000


@pytest.mark.django_db
def test_says_which_request_it_comes_from_and_what_is_known_about_each() -> None:
    log_context.begin(request_id="request-1", task="not carried")
    contexts = [{"order": "K7MX2WQ9RTHB"}, {}]
    payloads = [{"order_id": 1}, {"order_id": 2}]
    OutboxMessage.publish_many("order.placed", payloads, contexts=contexts)
    log_context.end()
    OutboxMessage.publish("order.placed", order_id=3)
    assert list(OutboxMessage.objects.order_by("pk").values_list("context", flat=True)) == [
        {"request_id": "request-1", "order": "K7MX2WQ9RTHB"},
        {"request_id": "request-1"},
        {},
    ]


@pytest.mark.django_db
def test_claims_due_messages_only_and_oldest_first() -> None:
    for n in range(4):
        OutboxMessage.publish("order.placed", order_id=n)
    first, late, sent, gave_up = OutboxMessage.objects.order_by("pk")
    OutboxMessage.objects.filter(pk=late.pk).update(next_attempt_at=NOON + timedelta(days=1))
    OutboxMessage.objects.filter(pk=sent.pk).update(sent_at=NOON)
    OutboxMessage.objects.filter(pk=gave_up.pk).update(gave_up_at=NOON)
    OutboxMessage.objects.filter(pk=first.pk).update(next_attempt_at=NOON)
    assert OutboxMessage.objects.claim(limit=10, now=NOON) == [first]


def waits(*, steps: int, gives_up: bool) -> list[int]:
    """Seconds until each next attempt."""
    OutboxMessage.publish("order.placed", order_id=1)
    seconds = []
    for step in range(1, steps + 1):
        message = OutboxMessage.objects.get()
        if gives_up:
            assert message.fail("no", now=NOON) == (step == MAX_ATTEMPTS)
        else:
            message.postpone("no", now=NOON)
        message.refresh_from_db()
        assert message.next_attempt_at is not None
        seconds.append(int((message.next_attempt_at - NOON).total_seconds()))
    return seconds


@pytest.mark.django_db
def test_waits_twice_as_long_each_time_and_gives_up_after_eight() -> None:
    assert waits(steps=MAX_ATTEMPTS, gives_up=True) == [2, 4, 8, 16, 32, 60, 60, 60]
    assert OutboxMessage.objects.get().gave_up_at == NOON
    assert not OutboxMessage.objects.waiting().exists()


@pytest.mark.django_db
def test_never_gives_up_for_a_broker_that_refuses() -> None:
    assert waits(steps=2000, gives_up=False)[-1] == 60
    assert OutboxMessage.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_the_relay_before_its_poll() -> None:
    def announce() -> None:
        with transaction.atomic():
            OutboxMessage.publish("order.placed", order_id=1)

    woken = threading.Event()

    def wait() -> None:
        listen()
        listening.set()
        wait_for_messages(timeout=60)
        woken.set()
        connection.close()

    listening = threading.Event()
    relay = threading.Thread(target=wait)
    relay.start()
    assert listening.wait(timeout=10)
    announce()
    assert woken.wait(timeout=30)  # by the notification: the poll would take a minute
    relay.join()
