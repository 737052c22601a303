"""The transactional outbox: what has to be announced, written with what happened.

The web process writes a row in the order's own transaction; the relay publishes it. So a
committed order cannot lose its message, and a request never waits for a broker.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.db.transaction import TransactionManagementError

from shop import log_context

# Ways to say that a row's own content cannot be published, before a person has to look.
MAX_ATTEMPTS = 8
_LONGEST_WAIT = timedelta(seconds=60)
_KEPT = timedelta(days=7)  # after it was sent: to look up what happened
# The relay hears of a message at once; one that is older waits for something.
LATE_AFTER = timedelta(seconds=30)


_POSITION = Cast(
    models.Func(function="pg_current_wal_insert_lsn", output_field=models.TextField()),
    models.TextField(),
)


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def waiting(self) -> "OutboxQuerySet":
        return self.filter(sent_at=None, gave_up_at=None)

    def late(self, *, now: datetime) -> "OutboxQuerySet":
        """Messages that the relay should long have published."""
        return self.waiting().filter(created_at__lt=now - LATE_AFTER)

    def claim(self, *, limit: int, now: datetime) -> list["OutboxMessage"]:
        """Up to `limit` due messages, oldest first, locked for this transaction alone.

        Each knows the primary's `position` at which what it announces was committed, or a
        later one: PostgreSQL looks it up after it has decided which rows are visible.
        """
        is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
        due = self.waiting().filter(is_due).order_by("pk").annotate(position=_POSITION)
        return list(due.select_for_update(skip_locked=True)[:limit])

    def mark_sent(self, messages: Iterable["OutboxMessage"], *, now: datetime) -> None:
        self.filter(pk__in=[message.pk for message in messages]).update(sent_at=now)

    @transaction.atomic
    def prune(self, *, now: datetime, limit: int) -> int:
        """Delete up to `limit` messages that were sent long ago, oldest first; how many.

        One that waits or gave up is never deleted.
        """
        old = self.filter(sent_at__lt=now - _KEPT).order_by("pk").values_list("pk", flat=True)
        keys = list(old.select_for_update(skip_locked=True)[:limit])
        return self.filter(pk__in=keys).delete()[0]


class OutboxMessage(models.Model):
    """Something that happened, to be announced once: a topic and a payload of ids."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    topic = models.CharField(max_length=64)
    payload = models.JSONField()
    context = models.JSONField(
        default=dict,
        db_default=models.Value({}, output_field=models.JSONField()),
        help_text="What log lines and message headers say about it: request id, order number.",
    )
    created_at = models.DateTimeField(db_default=models.functions.Now())
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    gave_up_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["uuid"], name="one_message_per_uuid")]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(sent_at=None, gave_up_at=None),
                name="outbox_waiting",
            ),
            models.Index(fields=["topic", "-id"], name="outbox_by_topic"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.payload}"

    @staticmethod
    def publish(topic: str, **payload: Any) -> None:
        """Announce `topic` if, and only if, the surrounding transaction commits."""
        OutboxMessage.publish_many(topic, [payload])

    @staticmethod
    def publish_many(
        topic: str,
        payloads: Sequence[dict[str, Any]],
        *,
        contexts: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        """One message for each payload, in one statement.

        `contexts` says to each payload what log lines name beside the current request or task.

        Raises TransactionManagementError outside a transaction: an announcement alone
        could outlive, or die before, what it announces.
        """
        if not transaction.get_connection().in_atomic_block:
            raise TransactionManagementError(f"{topic} was published outside a transaction.")
        current = log_context.carried()
        OutboxMessage.objects.bulk_create(
            OutboxMessage(topic=topic, payload=payload, context={**current, **context})
            for payload, context in zip(payloads, contexts or [{}] * len(payloads), strict=True)
        )

    def postpone(self, error: str, *, now: datetime) -> None:
        """It cannot be published yet: try again later, up to a minute, for ever."""
        wait = min(_LONGEST_WAIT, timedelta(seconds=2 ** min(self.attempts + 1, 10)))
        OutboxMessage.objects.filter(pk=self.pk).update(
            attempts=F("attempts") + 1, last_error=error, next_attempt_at=now + wait
        )

    def fail(self, error: str, *, now: datetime) -> bool:
        """Its own content cannot be published: postpone it; True if that was the last time."""
        self.postpone(error, now=now)
        gave_up = self.attempts + 1 >= MAX_ATTEMPTS
        if gave_up:
            OutboxMessage.objects.filter(pk=self.pk).update(gave_up_at=now)
        return gave_up
