"""Whatever happens, in any order and any number of times: the audit finds nothing.

Hypothesis invents the lives of shops out of the events below. Every life is one transaction
that is rolled back.
"""

import sys
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
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from apps.orders import emails, fulfilment
from apps.orders.models import Order, Status, WrongStatus
from shop.mail.models import NotTaken, OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks import email, order_pipeline, sweeper
from tasks.audit import GRACE
from tasks.audit.run import ask_all
from tasks.models import DeadLetter
from tasks.outbox import steps_for
from tasks.tests.mailbox import MOODS, Mailbox
from tasks.tests.shopkeeper import SKUS, Basket, Shopkeeper
from tests.servers import figures

PIPELINE = {
    order_pipeline.update_inventory.name: fulfilment.update_inventory,
    order_pipeline.confirm.name: fulfilment.confirm,
    email.send_order_confirmation.name: emails.send_confirmation,
}
MOVES = {
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
BETWEEN_AUDITS = 8  # events

skus = st.sampled_from(SKUS)
units = st.integers(1, 4)
moods = st.sampled_from(MOODS)
baskets = st.dictionaries(skus, units, min_size=1)


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
        self._shopkeeper = Shopkeeper()
        self._broker: list[list[tuple[str, int]]] = []  # chains of steps

    # The shopper

    @initialize(target=orders, basket=baskets)
    def open_with_an_order(self, basket: Basket) -> Any:
        return self.place(basket=basket, key=None, address=0)

    @rule(
        target=orders,
        basket=baskets,
        key=st.sampled_from([None, "a", "b"]),
        address=st.integers(0, 1),
    )
    def place(self, basket: Basket, key: str | None, address: int) -> Any:
        order = self._shopkeeper.place(basket, key=key, address=address, now=self._now)
        return multiple() if order is None else order

    # Staff

    @rule(sku=skus, number=units, note=st.sampled_from(["note-1", "note-2"]))
    def receive(self, sku: str, number: int, note: str) -> None:
        self._shopkeeper.receive(sku, number, note=note, now=self._now)

    @rule(sku=skus, number=st.integers(-3, 3).filter(bool))
    def correct(self, sku: str, number: int) -> None:
        self._shopkeeper.correct(sku, number, now=self._now)

    @rule(order=orders, topic=st.sampled_from(REQUESTS))
    def ask(self, order: int, topic: str) -> None:
        OutboxMessage.publish(topic, order_id=order)

    # The pipeline

    @rule(
        is_killed=st.booleans(),
        which=st.integers(0, 9),
        how_far=st.integers(0, 3),
        again=st.booleans(),
        mood=moods,
    )
    def deliver(
        self, is_killed: bool, which: int, how_far: int, again: bool, mood: str
    ) -> None:
        """Publish what waits, then do some steps of any message that the broker has.

        A relay that is killed before its commit publishes again; a broker that has not heard
        that a message was done delivers it `again`.
        """
        Mailbox.mood = mood
        self._publish(is_killed=is_killed)
        if self._broker:
            chain = self._broker.pop(which % len(self._broker))
            left = self._work_on(chain, how_far)
            self._broker += [chain] if again else []
            self._broker += [left] if left else []

    def _work_on(self, chain: list[tuple[str, int]], how_far: int) -> list[tuple[str, int]]:
        """The steps that are left after so many; none after one that was refused."""
        for task, order in chain[:how_far]:
            if not self._run(task, order):
                return []
        return chain[how_far:]

    def _publish(self, *, is_killed: bool) -> None:
        waiting = OutboxMessage.objects.claim(limit=100, now=self._now)
        for message in waiting:
            chain = steps_for(message)
            self._broker.append([(str(step.task), step.kwargs["order_id"]) for step in chain])
        if not is_killed:
            OutboxMessage.objects.mark_sent(waiting, now=self._now)

    @rule(order=orders, task=st.sampled_from(sorted(PIPELINE)), mood=moods)
    def run_out_of_turn(self, order: int, task: str, mood: str) -> None:
        Mailbox.mood = mood
        self._run(task, order)

    @rule(order=orders, task=st.sampled_from(sorted(MOVES)))
    def move(self, order: int, task: str) -> None:
        self._run(task, order)

    @rule()
    def sweep(self) -> None:
        sweeper.sweep(now=self._now + timedelta(minutes=26))

    @rule(which=st.integers(0, 9))
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
            found = (PIPELINE | MOVES)[task](order, now=self._now)
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
            self._shopkeeper.hears_of_cancellation(order)
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
        self._publish(is_killed=False)
        for chain in self._broker:
            self._work_on(chain, len(chain))
        for waiting in OutgoingEmail.objects.filter(status="queued"):
            waiting.send(now=self._now)
        self._now += timedelta(seconds=1)

    def _audit(self, *, grace: timedelta) -> None:
        Life.audits += 1
        with connection.cursor() as cursor:
            findings = ask_all(cursor, now=self._now, grace=grace)
        assert [str(finding) for finding in findings if finding.violations] == []
        self._shopkeeper.compare()


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
