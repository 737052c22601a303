"""What gave up: a task, or an outbox message, that a person has to look at."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q

_EMPTY = models.Value({}, output_field=models.JSONField())
_EMPTY_LIST = models.Value([], output_field=models.JSONField())

# Longer than a task's whole path of retries: it should have ended, well or badly.
UNHEARD_AFTER = timedelta(minutes=20)


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def open(self) -> "DeadLetterQuerySet":
        return self.filter(status=DeadLetter.Status.OPEN)

    def unheard(self, *, now: datetime) -> "DeadLetterQuerySet":
        """Those that were replayed long ago, and neither came back nor came to a good end."""
        return self.filter(
            status=DeadLetter.Status.REPLAYED, replayed_at__lt=now - UNHEARD_AFTER
        )

    def record(self, *, task_id: str, now: datetime, **facts: Any) -> None:
        """Keep what gave up, one row a task id; giving up again is counted on that row."""
        _, is_new = self.get_or_create(
            task_id=task_id, defaults={**facts, "first_at": now, "last_at": now}
        )
        if not is_new:
            self.filter(task_id=task_id).update(
                **facts,
                times=F("times") + 1,
                last_at=now,
                status=DeadLetter.Status.OPEN,
                resolved_at=None,
            )


class DeadLetter(models.Model):
    class Status(models.TextChoices):
        OPEN = "open", "open"
        REPLAYED = "replayed", "replayed"  # and nothing was heard of it yet
        SUCCEEDED = "succeeded", "succeeded"
        DISCARDED = "discarded", "discarded"

    task_id = models.CharField(max_length=64)
    task = models.CharField(max_length=128, help_text="The task, or the outbox topic.")
    queue = models.CharField(max_length=64, blank=True)
    args = models.JSONField(
        default=list,
        db_default=_EMPTY_LIST,
        help_text="Positional; the shop's tasks have none.",
    )
    arguments = models.JSONField(default=dict)
    chain = models.JSONField(
        default=list,
        help_text="The steps that would have followed, next one first, with their task ids.",
    )
    context = models.JSONField(
        default=dict, db_default=_EMPTY, help_text="Request id and order number, for log lines."
    )
    message = models.JSONField(null=True, blank=True, help_text="As the broker returned it.")
    order_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    error = models.TextField(blank=True, help_text="The last lines of the traceback.")
    attempts = models.PositiveIntegerField(default=1)
    times = models.PositiveIntegerField(default=1, help_text="How often it gave up.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status, db_default="open", default="open")
    replays = models.PositiveIntegerField(default=0, db_default=0)
    replayed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        help_text="What a replay returned, or why it was discarded.",
    )

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task_id"], name="one_dead_letter_per_task_id"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "replayed", "succeeded", "discarded"]),
                name="dead_letter_status_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-last_at"], condition=Q(status="open"), name="dead_letter_open"
            ),
            models.Index(fields=["order_id"], name="dead_letter_by_order"),
        ]

    def __str__(self) -> str:
        return f"{self.task}: {self.reason}"


class Heartbeat(models.Model):
    """The last word of a part of the pipeline: when it was alive, and what it saw."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
