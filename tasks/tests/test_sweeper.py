"""The sweeper starts again what lost its message, once, and leaves all else alone.

Every mechanism above it is off here: no relay, no worker; messages are deleted from the outbox.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.orders import fulfilment
from apps.orders.checkout import ORDER_PLACED, place_order
from apps.orders.models import Order
from apps.orders.restarting import CONFIRMATION_REQUESTED, RESTART_AFTER
from shop.clock import database_time
from shop.mail.models import FORGOTTEN_AFTER, STUCK_AFTER, OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks import maintenance, order_pipeline
from tasks.email import send_order_confirmation
from tasks.models import DeadLetter, Heartbeat
from tasks.sweeper import prune, sweep
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.concurrently import run_at_once
from tests.mail_server import mail_server
from tests.statements import counted

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
NOTHING = {
    "orders_restarted": 0,
    "emails_announced": 0,
    "emails_written": 0,
    "emails_unknown": 0,
}


def placed(number: int = 1) -> list[Order]:
    """Pending orders, of the last minute, whose messages are gone."""
    ada, mug = make_customer(), make_variant(on_hand=number)
    lines, now = [make_line(mug)], database_time()
    orders = [place_order(make_purchase(ada), lines=lines, now=now) for _ in range(number)]
    lose_messages()
    return orders


def confirmed(number: int = 1) -> list[Order]:
    orders = placed(number)
    for order in orders:
        fulfilment.confirm(order.pk, now=NOON)
    return orders


def lose_messages() -> None:
    OutboxMessage.objects.all().delete()


def announced(topic: str) -> list[int]:
    messages = OutboxMessage.objects.waiting().filter(topic=topic).order_by("pk")
    return [message.payload["order_id"] for message in messages]


def later(wait: timedelta = RESTART_AFTER) -> datetime:
    """A minute after the wait has passed, by the database's clock."""
    return database_time() + wait + MINUTE


def dead_letter(order: Order, **fields: Any) -> None:
    DeadLetter.objects.record(
        task_id="1", task="t", reason="r", order_id=order.pk, now=NOON, **fields
    )


class TestPendingOrders:
    def test_are_announced_again_once(self) -> None:
        orders = placed(3)
        now = later()
        assert sweep(now=now) == NOTHING | {"orders_restarted": 3}
        assert announced(ORDER_PLACED) == [order.pk for order in orders]
        lose_messages()
        assert sweep(now=now) == sweep(now=now + RESTART_AFTER) == NOTHING
        assert sweep(now=now + RESTART_AFTER + MINUTE) == NOTHING | {"orders_restarted": 3}

    def test_are_left_alone_while_a_step_may_still_be_retried(self) -> None:
        placed()
        assert sweep(now=database_time() + RESTART_AFTER - MINUTE) == NOTHING

    def test_wait_longer_than_every_retry_and_redelivery_of_a_step(self) -> None:
        steps: list[Any] = [order_pipeline.update_inventory, order_pipeline.confirm]
        for task in steps:
            waits = [min(2**n, task.retry_backoff_max) for n in range(task.max_retries)]
            assert timedelta(seconds=sum(waits) + 300 + 100) < RESTART_AFTER

    def test_are_left_alone_while_their_message_waits_in_the_outbox(self) -> None:
        waiting, lost = placed(2)
        with transaction.atomic():
            OutboxMessage.publish(ORDER_PLACED, order_id=waiting.pk)
        sweep(now=later())
        assert announced(ORDER_PLACED) == [waiting.pk, lost.pk]
        assert sweep(now=later(timedelta(days=1))) == NOTHING

    def test_are_not_kept_back_by_messages_that_nobody_can_read(self) -> None:
        (order,) = placed()
        with transaction.atomic():
            junk: list[Any] = [["order_id", order.pk], {"order_id": "one"}, {"order_id": None}]
            OutboxMessage.publish_many(ORDER_PLACED, junk)
            OutboxMessage.publish("order.shipment_requested", order_id=order.pk)
        assert sweep(now=later())["orders_restarted"] == 1

    @pytest.mark.parametrize(("status", "restarted"), [("open", 0), ("replayed", 1)])
    def test_are_left_to_a_person_while_they_have_an_open_dead_letter(
        self, status: str, restarted: int
    ) -> None:
        dead, _other = placed(2)
        dead_letter(dead, status=status)
        DeadLetter.objects.record(task_id="2", task="t", reason="about no order", now=NOON)
        assert sweep(now=later())["orders_restarted"] == 1 + restarted

    def test_are_restarted_only_if_pending(self) -> None:
        (order,) = placed()
        fulfilment.cancel(order.pk, now=NOON)
        assert sweep(now=later()) == NOTHING

    def test_are_restarted_once_by_four_sweepers_at_once(self) -> None:
        orders = placed(30)
        now = later()
        outcomes = run_at_once([lambda: sweep(now=now)["orders_restarted"]] * 4)
        assert sum(each for each in outcomes if isinstance(each, int)) == 30, outcomes
        assert sorted(announced(ORDER_PLACED)) == [order.pk for order in orders]

    def test_are_restarted_all_though_they_are_more_than_a_batch(self) -> None:
        (order,) = placed()
        copies = [Order(**{**fields_of(order), "number": f"COPY{n}"}) for n in range(1000)]
        Order.objects.bulk_create(copies)
        with counted() as statements:
            assert sweep(now=later())["orders_restarted"] == 1001
        assert len(announced(ORDER_PLACED)) == 1001
        assert len(statements) < 25


def fields_of(order: Order) -> dict[str, Any]:
    left_out = ("id", "announced_at", "idempotency_key")
    fields = [field for field in Order._meta.concrete_fields if field.name not in left_out]
    return {field.attname: getattr(order, field.attname) for field in fields}


class TestConfirmedOrders:
    def test_without_an_email_get_one(self) -> None:
        with_one, without = confirmed(2)
        OutgoingEmail.objects.filter(reference=without.reference).delete()
        assert sweep(now=database_time()) == NOTHING | {"emails_written": 1}
        assert announced(CONFIRMATION_REQUESTED) == [without.pk]
        emails = OutgoingEmail.objects.order_by("reference")
        assert [email.reference for email in emails] == [with_one.reference, without.reference]
        assert sweep(now=database_time()) == NOTHING

    @pytest.mark.parametrize("status", ["processing", "shipped", "delivered"])
    def test_get_one_though_they_went_on(self, status: str) -> None:
        (order,) = confirmed()
        Order.objects.update(status=status)
        OutgoingEmail.objects.all().delete()
        assert sweep(now=database_time())["emails_written"] == 1
        assert announced(CONFIRMATION_REQUESTED) == [order.pk]

    @pytest.mark.parametrize("status", ["pending", "cancelled", "refunded"])
    def test_get_none_if_they_are_no_longer_or_not_yet_confirmed(self, status: str) -> None:
        confirmed()
        Order.objects.update(status=status)
        OutgoingEmail.objects.all().delete()
        assert sweep(now=database_time()) == NOTHING

    def test_get_none_after_a_week(self) -> None:
        confirmed()
        Order.objects.update(placed_at=F("placed_at") - timedelta(days=7))
        OutgoingEmail.objects.all().delete()
        assert sweep(now=database_time()) == NOTHING


class TestQueuedEmails:
    def test_are_announced_again_once(self) -> None:
        orders = confirmed(2)
        now = later(FORGOTTEN_AFTER)
        assert sweep(now=now) == NOTHING | {"emails_announced": 2}
        assert announced(CONFIRMATION_REQUESTED) == [order.pk for order in orders]
        lose_messages()
        assert sweep(now=now) == NOTHING
        assert sweep(now=now + FORGOTTEN_AFTER + MINUTE)["emails_announced"] == 2

    def test_are_left_alone_while_a_task_of_theirs_still_tries(self) -> None:
        confirmed()
        tried_at = database_time() + timedelta(hours=3)
        OutgoingEmail.objects.update(claimed_at=tried_at, attempts=90)
        assert sweep(now=tried_at + FORGOTTEN_AFTER - MINUTE) == NOTHING
        assert sweep(now=tried_at + FORGOTTEN_AFTER + MINUTE)["emails_announced"] == 1

    def test_wait_longer_than_a_retry_and_a_redelivery(self) -> None:
        task: Any = send_order_confirmation
        assert timedelta(seconds=task.retry_backoff_max + 300 + 100) < FORGOTTEN_AFTER

    def test_are_left_alone_while_their_message_waits_in_the_outbox(self) -> None:
        confirmed()
        sweep(now=later(FORGOTTEN_AFTER))
        assert sweep(now=later(timedelta(days=1))) == NOTHING

    def test_are_left_to_a_person_while_their_order_has_an_open_dead_letter(self) -> None:
        dead, other = confirmed(2)
        dead_letter(dead)
        sweep(now=later(FORGOTTEN_AFTER))
        assert announced(CONFIRMATION_REQUESTED) == [other.pk]

    @pytest.mark.parametrize("status", ["sent", "bounced", "unknown", "withdrawn"])
    def test_are_announced_only_if_queued(self, status: str) -> None:
        confirmed()
        OutgoingEmail.objects.update(status=status)
        assert sweep(now=later(FORGOTTEN_AFTER)) == NOTHING

    def test_are_announced_once_by_four_sweepers_at_once(self) -> None:
        confirmed(10)
        now = later(FORGOTTEN_AFTER)
        outcomes = run_at_once([lambda: sweep(now=now)["emails_announced"]] * 4)
        assert sum(each for each in outcomes if isinstance(each, int)) == 10, outcomes
        assert len(announced(CONFIRMATION_REQUESTED)) == 10


class TestEmailsBeingSent:
    def test_become_unknown_when_their_sender_must_be_dead(self) -> None:
        confirmed(2)
        old, young = OutgoingEmail.objects.order_by("pk")
        now = database_time()
        for email, age in ((old, STUCK_AFTER + MINUTE), (young, STUCK_AFTER - MINUTE)):
            claimed = OutgoingEmail.objects.filter(pk=email.pk)
            claimed.update(status="sending", claimed_at=now - age)
        assert sweep(now=now) == NOTHING | {"emails_unknown": 1}
        old.refresh_from_db()
        young.refresh_from_db()
        assert (old.status, young.status) == ("unknown", "sending")
        assert "never said" in old.last_error
        assert sweep(now=now) == NOTHING


def test_one_kind_of_trouble_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    _, shown = placed(2)
    fulfilment.confirm(shown.pk, now=NOON)
    OutgoingEmail.objects.all().delete()
    lose_messages()
    with database.cursor() as cursor:
        cursor.execute(
            "alter table outbox_outboxmessage add constraint refuses check (topic <> %s)",
            [ORDER_PLACED],
        )
        try:
            with pytest.raises(IntegrityError):
                sweep(now=later())
        finally:
            cursor.execute("alter table outbox_outboxmessage drop constraint refuses")
    assert "sweeper: orders_restarted failed: IntegrityError" in caplog.messages
    assert OutgoingEmail.objects.count() == 1


def test_the_log_lines_of_what_is_started_again_name_the_order() -> None:
    (order,) = placed()
    sweep(now=later())
    assert OutboxMessage.objects.get().context["order"] == order.number


def test_prunes_letters_that_were_settled_a_quarter_ago_and_no_other() -> None:
    now, quarter = database_time(), timedelta(days=90)
    for status in ("open", "replayed", "succeeded", "discarded"):
        for n, age in enumerate((quarter + MINUTE, quarter - MINUTE)):
            task_id = f"{status}-{n}"
            DeadLetter.objects.record(task_id=task_id, task="t", reason="r", now=now - age)
            resolved_at = now - age if status in ("succeeded", "discarded") else None
            DeadLetter.objects.filter(task_id=task_id).update(
                status=status, resolved_at=resolved_at
            )
    assert prune(now=now) == 2
    left = set(DeadLetter.objects.values_list("task_id", flat=True))
    assert left.isdisjoint({"succeeded-0", "discarded-0"})
    assert len(left) == 6


@pytest.mark.parametrize("skew", [timedelta(minutes=10), timedelta(minutes=-10)])
def test_goes_by_the_databases_clock_whatever_the_workers_says(
    monkeypatch: pytest.MonkeyPatch, skew: timedelta
) -> None:
    early, due = placed(2)
    age_of = {early: RESTART_AFTER - MINUTE, due: RESTART_AFTER + MINUTE}
    for order, age in age_of.items():
        Order.objects.filter(pk=order.pk).update(announced_at=F("announced_at") - age)
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + skew)
    assert maintenance.sweep() == NOTHING | {"orders_restarted": 1}
    assert announced(ORDER_PLACED) == [due.pk]
    assert abs(Heartbeat.objects.get(name="sweeper").at - right()) < MINUTE


def test_does_nothing_in_a_shop_without_trouble() -> None:
    confirmed(2)
    OutgoingEmail.objects.update(status="sent")
    cup = make_line(make_variant("CUP", on_hand=1))
    place_order(make_purchase(make_customer("bob")), lines=[cup], now=NOON)
    with counted() as statements:
        assert sweep(now=database_time()) == NOTHING
    assert len(statements) <= 7
    assert OutboxMessage.objects.count() == 1


def test_an_email_whose_senders_clock_is_wrong_is_not_called_unknown_early(
    settings: Settings,
) -> None:
    confirmed()
    swept = []
    with mail_server() as (server, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        server.on_recipient = lambda _address: swept.append(sweep(now=database_time()))
        slow_clock = database_time() - STUCK_AFTER - MINUTE
        assert OutgoingEmail.objects.get().send(now=slow_clock) == "sent"
    assert swept == [NOTHING]


def test_prunes_what_was_sent_a_week_ago_and_never_what_waits_or_gave_up() -> None:
    now = database_time()
    week = timedelta(days=7)
    ages = {"sent_at": [week + MINUTE] * 501 + [week - MINUTE], "gave_up_at": [2 * week]}
    OutboxMessage.objects.bulk_create(
        OutboxMessage(topic="t", payload={}, **{column: now - age})
        for column, some in ages.items()
        for age in some
    )
    OutboxMessage.objects.create(topic="waiting", payload={})
    OutboxMessage.objects.update(created_at=now - 3 * week)
    outcomes = run_at_once([lambda: prune(now=now)] * 2)
    assert sum(each for each in outcomes if isinstance(each, int)) == 501, outcomes
    left = OutboxMessage.objects.all()
    assert sorted((m.sent_at is None, m.gave_up_at is None) for m in left) == [
        (False, True),
        (True, False),
        (True, True),
    ]
