"""What gave up: a task, or an outbox message, that a person has to look at."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q

from shop.scrubbing import scrub
from tasks.storable import storable

# The parts of the pipeline that leave heartbeats.
RELAY, BEAT, QUEUES, SWEEPER, AUDIT = "relay", "beat", "queues", "sweeper", "audit"
SEARCH = "search"  # what the nightly comparison of the index found

_EMPTY = models.Value({}, output_field=models.JSONField())
_EMPTY_LIST = models.Value([], output_field=models.JSONField())
_LONGEST_REASON = 200
_LARGEST_ID = 2**63 - 1
# How the task id begins of what came without one; the rest is a hash of its body.
FOREIGN = "foreign-"


def order_id_of(arguments: Any) -> int | None:
    """The order that a task or a topic is about, if that can be told."""
    order_id = arguments.get("order_id") if isinstance(arguments, dict) else None
    if not isinstance(order_id, int) or isinstance(order_id, bool):
        return None
    return order_id if 0 < order_id <= _LARGEST_ID else None


# Longer than a task's whole path of retries: it should have ended, well or badly.
UNHEARD_AFTER = timedelta(minutes=20)
_KEPT = timedelta(days=90)  # after it was settled: to look up what happened


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    def open(self) -> "DeadLetterQuerySet":
        return self.filter(status=DeadLetter.Status.OPEN)

    def unheard(self, *, now: datetime) -> "DeadLetterQuerySet":
        """Those that were replayed long ago, and neither came back nor came to a good end."""
        return self.filter(
            status=DeadLetter.Status.REPLAYED, replayed_at__lt=now - UNHEARD_AFTER
        )

    def unsettled(self) -> "DeadLetterQuerySet":
        """Those that came to no end: open, or replayed and not heard of since."""
        return self.filter(status__in=[DeadLetter.Status.OPEN, DeadLetter.Status.REPLAYED])

    def record(self, *, task_id: str, now: datetime, **facts: Any) -> None:
        """Keep what gave up, one row a task id; giving up again is counted on that row."""
        facts = {name: storable(value) for name, value in facts.items()}
        facts["reason"] = scrub(facts["reason"])[:_LONGEST_REASON]
        facts["error"] = scrub(facts.get("error", ""))
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
                resolution="",
            )

    def complete(self, letter: "DeadLetter", facts: dict[str, Any]) -> None:
        """Add to a letter what only its message can tell; it did not give up again."""
        missing: dict[str, Any] = {}
        if letter.message is None:
            missing["message"] = storable(facts["message"])
        if not letter.chain and "chain" in facts:
            missing["chain"] = storable(facts["chain"])
        if missing:
            self.filter(pk=letter.pk).update(**missing)

    def succeeded(self, *, resolution: str, now: datetime) -> None:
        """The replays of these letters came to a good end."""
        self.filter(status=DeadLetter.Status.REPLAYED).update(
            status=DeadLetter.Status.SUCCEEDED,
            resolved_at=now,
            resolution=storable(resolution)[:_LONGEST_REASON],
        )

    @transaction.atomic
    def discard(self, *, reason: str, now: datetime) -> list["DeadLetter"]:
        """Nothing more will be done about these letters; returns those it was said of."""
        letters = list(self.unsettled().order_by("pk").select_for_update())
        DeadLetter.objects.filter(pk__in=[letter.pk for letter in letters]).update(
            status=DeadLetter.Status.DISCARDED,
            resolved_at=now,
            resolution=reason[:_LONGEST_REASON],
        )
        return letters

    @transaction.atomic
    def prune(self, *, now: datetime, limit: int) -> int:
        """Delete up to `limit` letters that were settled long ago, oldest first; how many."""
        settled = self.filter(
            status__in=[DeadLetter.Status.SUCCEEDED, DeadLetter.Status.DISCARDED],
            resolved_at__lt=now - _KEPT,
        )
        keys = settled.order_by("pk").values_list("pk", flat=True)
        old = list(keys.select_for_update(skip_locked=True)[:limit])
        return self.filter(pk__in=old).delete()[0]


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


class HeartbeatManager(models.Manager["Heartbeat"]):
    def beat(self, name: str, *, facts: dict[str, Any], now: datetime) -> None:
        """Say that `name` is alive and what it sees; one statement."""
        self.bulk_create(
            [Heartbeat(name=name, at=now, facts=facts)],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at", "facts"],
        )


class Heartbeat(models.Model):
    """The last word of a part of the pipeline: when it was alive, and what it saw."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    objects = HeartbeatManager()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
