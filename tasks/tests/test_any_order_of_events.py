"""Whatever happens, in any order and any number of times: the audit finds nothing.

Hypothesis invents the lives of shops out of the events below. Every life is one transaction
that is rolled back.
"""

import sys
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.catalog import inventory
from apps.catalog.inventory import OutOfStock
from apps.catalog.models import StockItem
from apps.orders import emails, fulfilment
from apps.orders.checkout import ORDER_PLACED, KeyReused, OrderForm, order_cart
from apps.orders.models import Order, Status, WrongStatus
from shop.mail.models import NotTaken, OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks import email, order_pipeline
from tasks.audit import GRACE
from tasks.audit.run import ask_all
from tasks.models import DeadLetter
from tasks.outbox import steps_for
from tasks.tests.mailbox import MOODS, Mailbox
from tests.builders import fill_cart, make_address, make_customer, make_variant
from tests.servers import figures

STEPS = {
    order_pipeline.update_inventory.name: fulfilment.update_inventory,
    order_pipeline.confirm.name: fulfilment.confirm,
    email.send_order_confirmation.name: emails.send_confirmation,
    order_pipeline.start_processing.name: fulfilment.start_processing,
    order_pipeline.ship.name: fulfilment.ship,
    order_pipeline.deliver.name: fulfilment.deliver,
    order_pipeline.cancel.name: fulfilment.cancel,
}
REQUESTS = (
    fulfilment.PROCESSING_REQUESTED,
    fulfilment.SHIPMENT_REQUESTED,
    fulfilment.DELIVERY_REPORTED,
    fulfilment.CANCELLATION_REQUESTED,
)
SKUS = ("MUG", "CUP")
BETWEEN_AUDITS = 8  # events

skus = st.sampled_from(SKUS)
units = st.integers(1, 4)


class Life(RuleBasedStateMachine):
    orders = Bundle("orders")
    audits: ClassVar[int] = 0
    events: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._life = ExitStack()
        self._life.enter_context(transaction.atomic())
        self._now = timezone.now()
        Mailbox.taken.clear()
        Mailbox.mood = "takes"
        self._ada = make_customer()
        self._addresses = [make_address(self._ada).pk, make_address(self._ada).pk]
        self._variants = {sku: make_variant(sku, on_hand=5) for sku in SKUS}
        self._available = Counter(dict.fromkeys(SKUS, 5))
        self._bought: dict[int, Counter[str]] = {}
        self._by_key: dict[str, tuple[int, int]] = {}  # key -> address, order
        self._booked: set[tuple[str, str]] = set()
        self._broker: list[list[tuple[str, int]]] = []  # chains of steps

    # The shopper

    @rule(
        target=orders,
        wanted=st.dictionaries(skus, units, min_size=1),
        key=st.sampled_from([None, "a", "b"]),
        address=st.integers(0, 1),
    )
    def place(self, wanted: dict[str, int], key: str | None, address: int) -> Any:
        cart = fill_cart(self._ada, {self._variants[sku]: n for sku, n in wanted.items()})
        try:
            placed = self._order(wanted, key, self._addresses[address])
        finally:
            cart.items.all().delete()
        return multiple() if placed is None else placed

    def _order(self, wanted: dict[str, int], key: str | None, address: int) -> int | None:
        """The id of a new order; what should happen is worked out first, and then compared."""
        earlier = self._by_key.get(key) if key else None
        is_short = any(self._available[sku] < number for sku, number in wanted.items())
        form = OrderForm(
            shipping_address_id=address,
            billing_address_id=address,
            payment_method="cod",
            email="ada@example.com",
        )
        try:
            order, is_new = order_cart(
                form, customer=self._ada, idempotency_key=key, now=self._now
            )
        except KeyReused:
            assert earlier is not None
            assert earlier[0] != address
            return None
        except OutOfStock:
            assert is_short
            assert earlier is None
            return None
        if earlier is not None:
            assert (address, order.pk, False) == (*earlier, is_new)
            return None
        assert is_new
        assert not is_short
        if key:
            self._by_key[key] = (address, order.pk)
        self._bought[order.pk] = Counter(wanted)
        self._available -= Counter(wanted)
        return order.pk

    # Staff

    @rule(sku=skus, number=units, note=st.sampled_from(["note-1", "note-2"]))
    def receive(self, sku: str, number: int, note: str) -> None:
        inventory.receive({self._variants[sku].pk: number}, reference=note, now=self._now)
        if (note, sku) not in self._booked:
            self._booked.add((note, sku))
            self._available[sku] += number

    @rule(sku=skus, number=st.integers(-3, 3).filter(bool))
    def correct(self, sku: str, number: int) -> None:
        reference = f"count-{len(self._booked)}"
        variant = self._variants[sku].pk
        try:
            inventory.correct(
                {variant: number}, reference=reference, now=self._now, reason="counted"
            )
        except OutOfStock:
            assert self._available[sku] + number < 0
            return
        self._booked.add((reference, sku))
        self._available[sku] += number
        assert self._available[sku] >= 0

    @rule(order=orders, topic=st.sampled_from(REQUESTS))
    def ask(self, order: int, topic: str) -> None:
        OutboxMessage.publish(topic, order_id=order)

    # The pipeline

    @rule(is_killed=st.booleans())
    def relay(self, is_killed: bool) -> None:
        """Publish what waits; killed before the commit, it will be published again."""
        waiting = OutboxMessage.objects.claim(limit=100, now=self._now)
        for message in waiting:
            chain = steps_for(message)
            self._broker.append([(str(step.task), step.kwargs["order_id"]) for step in chain])
        if not is_killed:
            OutboxMessage.objects.mark_sent(waiting, now=self._now)

    @precondition(lambda self: self._broker)
    @rule(which=st.integers(0, 20), again=st.booleans(), mood=st.sampled_from(MOODS))
    def deliver(self, which: int, again: bool, mood: str) -> None:
        """Any message that the broker has; perhaps it has not heard that it was done."""
        Mailbox.mood = mood
        chain = self._broker[which % len(self._broker)]
        if not again:
            self._broker.remove(chain)
        (task, order), *others = chain
        if self._run(task, order) and others:
            self._broker.append(others)

    @rule(order=orders, task=st.sampled_from(sorted(STEPS)), mood=st.sampled_from(MOODS))
    def run_out_of_turn(self, order: int, task: str, mood: str) -> None:
        Mailbox.mood = mood
        self._run(task, order)

    @rule()
    def sweep(self) -> None:
        for order in Order.objects.filter(status=Status.PENDING):
            OutboxMessage.publish(ORDER_PLACED, order_id=order.pk)

    @rule(which=st.integers(0, 20))
    def replay(self, which: int) -> None:
        letters = list(DeadLetter.objects.open().order_by("pk"))
        if letters:
            letter = letters[which % len(letters)]
            if self._run(letter.task, letter.arguments["order_id"]):
                DeadLetter.objects.filter(pk=letter.pk).update(
                    status="succeeded", resolved_at=self._now
                )

    def _run(self, task: str, order: int) -> bool:
        """Whether the step came to its end; what is refused for good is a dead letter."""
        status = Order.objects.get(pk=order).status
        try:
            found = STEPS[task](order, now=self._now)
        except NotTaken:
            return False  # the task comes again, as every other may
        except WrongStatus as refusal:
            DeadLetter.objects.record(
                task_id=f"{task} {order}",
                now=self._now,
                task=task,
                arguments={"order_id": order},
                order_id=order,
                reason=str(refusal),
            )
            return False
        if found == Status.CANCELLED and status != Status.CANCELLED:
            self._available += self._bought[order]
        return True

    # What must be true

    @invariant()
    def holds(self) -> None:
        Life.events += 1
        self._now += timedelta(seconds=1)
        if Life.events % BETWEEN_AUDITS == 0:
            self._audit(grace=GRACE)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # else what has failed already shall be shown
                self._come_to_rest()
                self._audit(grace=timedelta(0))
        finally:
            transaction.set_rollback(True)
            self._life.close()

    def _come_to_rest(self) -> None:
        """Every message arrives, the mail server takes all, and nothing new is asked."""
        Mailbox.mood = "takes"
        self.sweep()
        self.relay(is_killed=False)
        while self._broker:
            self.deliver(which=0, again=False, mood="takes")
        for waiting in OutgoingEmail.objects.filter(status="queued"):
            waiting.send(now=self._now)
        self._now += timedelta(seconds=1)

    def _audit(self, *, grace: timedelta) -> None:
        Life.audits += 1
        with connection.cursor() as cursor:
            findings = ask_all(cursor, now=self._now, grace=grace)
        assert [str(finding) for finding in findings if finding.violations] == []
        for stock in StockItem.objects.select_related("variant"):
            assert stock.available == self._available[stock.variant.sku]
        self._compare_mails()

    def _compare_mails(self) -> None:
        """One mail at most, and one for certain where the row says so."""
        reached = {"sent": 1, "unknown": 1}
        rows = {
            mail.subject: reached.get(mail.status, 0) for mail in OutgoingEmail.objects.all()
        }
        assert +Mailbox.taken == +Counter(rows)


@pytest.mark.django_db
def test_every_invariant_holds_whatever_happens(settings_of_django: None) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            # The same lives every time: a run that fails fails for whoever repeats it.
            derandomize=True,
            max_examples=80,
            stateful_step_count=25,
            # A failure in seconds. Without this line it is the shortest one, in minutes.
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    figures.append(f"any order of events: {Life.events} events, {Life.audits} audits")


@pytest.fixture
def settings_of_django(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tasks.tests.mailbox.Mailbox"
