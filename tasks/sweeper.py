"""The net under everything else: whatever was lost on its way is found and started again.

It trusts no other mechanism: it looks at the rows alone. Several sweepers may work at once.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from apps.orders import restarting
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from shop.topology import EMAIL, ORDER
from tasks.models import QUEUES, DeadLetter, Heartbeat

_BATCH = 500
# So many messages ahead of it are why an order waits, and one more would not help it.
_BACKLOG = 1000
_SEEN_LATELY = timedelta(minutes=2)

log = logging.getLogger(__name__)


def sweep(*, now: datetime) -> dict[str, int]:
    """Announce again what has lost its message, and call dead senders' e-mails unknown.

    Returns how many of each: in a healthy shop none. `now` is the database's time. Raises what
    one of them raised, after all the others.
    """
    steps: dict[str, Callable[[], int]] = {
        "orders_restarted": lambda: _restart(restarting.restart_pending, queue=ORDER, now=now),
        "emails_announced": lambda: _restart(
            restarting.announce_forgotten_emails, queue=EMAIL, now=now
        ),
        # After those, because what this writes is announced already.
        "emails_written": lambda: _in_batches(
            lambda limit: restarting.queue_missing_emails(now=now, limit=limit)
        ),
        "emails_unknown": lambda: OutgoingEmail.objects.call_stuck_unknown(now=now),
    }
    swept: dict[str, int] = {}
    failures = []
    for name, step in steps.items():
        try:
            swept[name] = step()
        except Exception as error:  # noqa: BLE001 one kind of row must not hold up the others
            log.error("sweeper: %s failed: %s", name, type(error).__name__)
            failures.append(error)
    if any(swept.values()):
        log.warning("sweeper: %s", swept)
    if failures:
        raise failures[0]
    return swept


def prune(*, now: datetime) -> int:
    """Delete outbox messages sent, and dead letters settled, long ago; returns how many."""
    return sum(
        _in_batches(lambda limit, rows=rows: rows.prune(now=now, limit=limit))  # type: ignore[misc]  # a default binds it
        for rows in (OutboxMessage.objects, DeadLetter.objects)
    )


def _restart(announce: Callable[..., int], *, queue: str, now: datetime) -> int:
    if _is_backed_up(queue, now=now):
        return 0
    held = DeadLetter.objects.open()
    return _in_batches(lambda limit: announce(now=now, held=held, limit=limit))


def _is_backed_up(queue: str, *, now: datetime) -> bool:
    """Whether this queue's workers are away or far behind: what is in it is not lost but late.

    To announce it again would put as much on top, again and again for as long as that lasts.
    Without a look at the queue of late the answer is no.
    """
    look = Heartbeat.objects.filter(name=QUEUES, at__gte=now - _SEEN_LATELY).first()
    state = look.facts.get(queue) if look else None
    if not state or not state["messages"]:
        return False
    return not state["consumers"] or state["messages"] >= _BACKLOG


def _in_batches(batch: Callable[[int], int]) -> int:
    """Call until a batch is not full; the sum. Each is a transaction of its own."""
    total = done = batch(_BATCH)
    while done == _BATCH:
        done = batch(_BATCH)
        total += done
    return total
