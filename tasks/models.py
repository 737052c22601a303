"""What gave up: a task, or an outbox message, that a person has to look at."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def open(self) -> "DeadLetterQuerySet":
        return self.filter(resolved_at=None)

    def record(self, *, task_id: str, now: datetime, **facts: Any) -> None:
        """Keep what gave up, one row a task id; giving up again is counted on that row."""
        _, is_new = self.get_or_create(
            task_id=task_id, defaults={**facts, "first_at": now, "last_at": now}
        )
        if not is_new:
            self.filter(task_id=task_id).update(
                **facts, times=F("times") + 1, last_at=now, resolved_at=None
            )


class DeadLetter(models.Model):
    task_id = models.CharField(max_length=64)
    task = models.CharField(max_length=128, help_text="The task, or the outbox topic.")
    queue = models.CharField(max_length=64, blank=True)
    arguments = models.JSONField(default=dict)
    chain = models.JSONField(default=list, help_text="The steps that would have followed.")
    order_id = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    error = models.TextField(blank=True, help_text="The last lines of the traceback.")
    attempts = models.PositiveIntegerField(default=1)
    times = models.PositiveIntegerField(default=1, help_text="How often it gave up.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task_id"], name="one_dead_letter_per_task_id"),
        ]
        indexes = [
            models.Index(
                fields=["-last_at"], condition=Q(resolved_at=None), name="dead_letter_open"
            ),
            models.Index(fields=["order_id"], name="dead_letter_by_order"),
        ]

    def __str__(self) -> str:
        return f"{self.task}: {self.reason}"
