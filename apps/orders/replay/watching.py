"""Waiting for the pipeline, which runs in other processes, by looking at the database."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection

from apps.orders.emails import CONFIRMATION
from apps.orders.models import Order, Status
from shop.mail.models import OutgoingEmail

_INTERVAL = 0.5  # seconds between two looks


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What the pipeline has still to do for some orders."""

    pending: int  # orders
    unsent: int  # e-mails, of other orders

    def __bool__(self) -> bool:
        return self.pending > 0 or self.unsent > 0


def wait_for_pipeline(
    order_ids: Sequence[int], *, patience: float, progress: Callable[[int], None]
) -> Backlog:
    """What is left when all is done, or when nothing has moved for `patience` seconds.

    `progress` hears now and then how many orders are done. A database that is away counts
    as no progress.
    """
    left = Backlog(pending=len(order_ids), unsent=0)
    moved_at = time.monotonic()
    while True:
        try:
            latest = backlog(order_ids)
        except (OperationalError, InterfaceError):
            connection.close()
            latest = left
        if latest != left:
            left, moved_at = latest, time.monotonic()
        progress(len(order_ids) - left.pending - left.unsent)
        if not left or time.monotonic() - moved_at >= patience:
            return left
        time.sleep(_INTERVAL)


def backlog(order_ids: Sequence[int]) -> Backlog:
    pending = Order.objects.filter(pk__in=order_ids, status=Status.PENDING)
    unsent = OutgoingEmail.objects.filter(
        reference__in=references(order_ids),
        kind=CONFIRMATION,
        status__in=[OutgoingEmail.Status.QUEUED, OutgoingEmail.Status.SENDING],
    )
    return Backlog(pending=pending.count(), unsent=unsent.count())


def references(order_ids: Sequence[int]) -> list[str]:
    """How stock movements and e-mails name these orders."""
    return [Order(pk=order_id).reference for order_id in order_ids]
