"""Starting dead letters again, with the task ids and the chain that they had."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F

from shop.celery import app
from shop.outbox.models import OutboxMessage
from tasks.models import FOREIGN, DeadLetter, DeadLetterQuerySet
from tasks.steps import resumed

OUTBOX = "outbox"  # what the relay writes in place of a queue


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Which letters are on their way again, and of the others why not."""

    replayed: list[DeadLetter] = field(default_factory=list)
    refused: list[tuple[DeadLetter, str]] = field(default_factory=list)


@transaction.atomic
def replay(letters: DeadLetterQuerySet, *, now: datetime) -> Outcome:
    """Announce every letter that can be replayed; the relay and the workers do the rest.

    Each keeps its task id and its chain and begins with all its retries. Two calls at once
    replay a letter once. The number of statements does not depend on that of the letters.
    """
    locked = list(letters.order_by("pk").select_for_update(no_key=True, of=("self",)))
    revivable = _revivable(locked)
    outcome = Outcome()
    for letter in locked:
        if reason := _why_not(letter, revivable):
            outcome.refused.append((letter, reason))
        else:
            outcome.replayed.append(letter)
    _announce(outcome.replayed)
    DeadLetter.objects.filter(pk__in=[letter.pk for letter in outcome.replayed]).update(
        status=DeadLetter.Status.REPLAYED, replays=F("replays") + 1, replayed_at=now
    )
    return outcome


def why_not(letter: DeadLetter) -> str:
    """Why this letter cannot be replayed, as a sentence; empty if it can."""
    return _why_not(letter, _revivable([letter]))


def _revivable(letters: Iterable[DeadLetter]) -> set[str]:
    """Of the outbox's letters, those whose message is still there: by its uuid."""
    uuids = [letter.task_id for letter in letters if letter.queue == OUTBOX]
    if not uuids:
        return set()
    messages = OutboxMessage.objects.filter(uuid__in=uuids).exclude(gave_up_at=None)
    return {str(uuid) for uuid in messages.values_list("uuid", flat=True)}


def _why_not(letter: DeadLetter, revivable: set[str]) -> str:
    if letter.status != DeadLetter.Status.OPEN:
        return f"It is {letter.get_status_display()} already."
    if letter.queue == OUTBOX:
        gone = "Its outbox message is no longer there."
        return "" if letter.task_id in revivable else gone
    if letter.task_id.startswith(FOREIGN):
        return "Nobody can tell which task it asks for."
    if any(isinstance(step, str) for step in letter.chain):
        return "An older version kept it, and did not note all about the steps that follow."
    return _unknown_tasks([letter.task, *(step["task"] for step in letter.chain)])


def _unknown_tasks(names: list[str]) -> str:
    app.loader.import_default_modules()
    unknown = [name for name in names if name not in app.tasks]
    return f"This version of the shop has no task {unknown[0]}." if unknown else ""


def _announce(letters: list[DeadLetter]) -> None:
    revived = [letter.task_id for letter in letters if letter.queue == OUTBOX]
    OutboxMessage.objects.filter(uuid__in=revived).update(
        gave_up_at=None, attempts=0, next_attempt_at=None
    )
    OutboxMessage.objects.bulk_create(
        resumed(
            {
                "task": letter.task,
                "task_id": letter.task_id,
                "args": letter.args,
                "kwargs": letter.arguments,
            },
            chain=letter.chain,
            context=letter.context,
            replay=letter.replays + 1,
        )
        for letter in letters
        if letter.queue != OUTBOX
    )
