"""The net under everything else: whatever was lost on its way is found and started again.

It trusts no other mechanism: it looks at the rows alone. Several sweepers may work at once.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from apps.orders import restarting
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter

_BATCH = 500

log = logging.getLogger(__name__)


def sweep(*, now: datetime) -> dict[str, int]:
    """Announce again what has lost its message, and call dead senders' e-mails unknown.

    Returns how many of each: in a healthy shop none. `now` is the database's time.
    """
    held = DeadLetter.objects.open()
    swept = {
        "orders_restarted": _in_batches(
            lambda limit: restarting.restart_pending(now=now, held=held, limit=limit)
        ),
        "emails_announced": _in_batches(
            lambda limit: restarting.announce_forgotten_emails(now=now, held=held, limit=limit)
        ),
        # After those, because what this writes is announced already.
        "emails_written": _in_batches(
            lambda limit: restarting.queue_missing_emails(now=now, limit=limit)
        ),
        "emails_unknown": OutgoingEmail.objects.call_stuck_unknown(now=now),
    }
    if any(swept.values()):
        log.warning("sweeper: %s", swept)
    return swept


def prune(*, now: datetime) -> int:
    """Delete outbox messages that were sent long ago; returns how many."""
    return _in_batches(lambda limit: OutboxMessage.objects.prune(now=now, limit=limit))


def _in_batches(batch: Callable[[int], int]) -> int:
    """Call until a batch is not full; the sum. Each is a transaction of its own."""
    total = done = batch(_BATCH)
    while done == _BATCH:
        done = batch(_BATCH)
        total += done
    return total
