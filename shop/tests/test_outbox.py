"""An announcement lives and dies with the transaction that it belongs to."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from shop.outbox.listen import listen, wait_for_messages
from shop.outbox.models import MAX_ATTEMPTS, OutboxMessage
from tests.builders import NOON
from tests.concurrently import run_at_once
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
def test_claims_due_messages_only_and_oldest_first() -> None:
    for n in range(4):
        OutboxMessage.publish("order.placed", order_id=n)
    first, late, sent, gave_up = OutboxMessage.objects.order_by("pk")
    OutboxMessage.objects.filter(pk=late.pk).update(next_attempt_at=NOON + timedelta(days=1))
    OutboxMessage.objects.filter(pk=sent.pk).update(sent_at=NOON)
    OutboxMessage.objects.filter(pk=gave_up.pk).update(gave_up_at=NOON)
    OutboxMessage.objects.filter(pk=first.pk).update(next_attempt_at=NOON)
    assert OutboxMessage.objects.claim(limit=10, now=NOON) == [first]


@pytest.mark.django_db
def test_waits_twice_as_long_each_time_and_gives_up_after_eight() -> None:
    OutboxMessage.publish("order.placed", order_id=1)
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        message = OutboxMessage.objects.get()
        again = message.postpone("no", now=NOON)
        message.refresh_from_db()
        waits.append((message.next_attempt_at - NOON).total_seconds())
        assert again == (attempt < MAX_ATTEMPTS)
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert message.gave_up_at == NOON
    assert not OutboxMessage.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_the_relay_before_its_poll() -> None:
    def announce() -> None:
        with transaction.atomic():
            OutboxMessage.publish("order.placed", order_id=1)

    listen()
    run_at_once([announce])
    wait_for_messages(timeout=60)  # a relay that is not woken would make the suite wait
    assert OutboxMessage.objects.waiting().exists()
    with connection.cursor() as cursor:
        cursor.execute("UNLISTEN outbox")
