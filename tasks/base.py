"""ShopTask, the base of every task: retries, the poison guard, and what giving up leaves."""

import logging
import traceback
from datetime import timedelta
from typing import Any

from celery import Task
from celery.exceptions import Reject
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone
from redis.exceptions import RedisError

from shop.mail.models import NotTaken
from tasks.models import DeadLetter

# Deliveries of one message without an acknowledgement, before it counts as a killer.
POISON_LIMIT = 5
_REMEMBERED = int(timedelta(days=1).total_seconds())
_TRACEBACK_LINES = 20

log = logging.getLogger(__name__)


class ShopTask(Task[..., Any]):
    """Retries what may heal by itself; refusals and bugs give up at once and are kept.

    A task takes ids by keyword, may run any number of times, and always returns what it
    found: raising `Ignore` on a repeat would lose the rest of its chain.
    """

    abstract = True
    autoretry_for: tuple[type[Exception], ...] = (
        OperationalError,
        InterfaceError,
        ConnectionError,
        TimeoutError,
        NotTaken,
    )
    # Exponential with full jitter, in seconds: up to 1, 2, 4, ... and never above 60. Twenty
    # of them last seven minutes on average: longer than a database's restart or failover.
    # At most 1+2+4+8+16+32 + 14*60 = 903 s; orders/restarting.py waits longer than that.
    retry_backoff = 1
    retry_backoff_max = 60
    retry_jitter = True
    max_retries = 20

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        deliveries = self._earlier_deliveries()
        if deliveries >= POISON_LIMIT:
            reason = f"poison: {deliveries} deliveries without an acknowledgement"
            self._keep(reason, kwargs)
            raise Reject(reason, requeue=False)
        for connection in connections.all(initialized_only=True):
            # Workers keep connections between tasks, and nothing else notices a dead one.
            connection.close_if_unusable_or_obsolete()
        return super().__call__(*args, **kwargs)

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """As Celery's, but a retry that cannot be published puts the message back."""
        try:
            return super().retry(*args, **kwargs)
        except Reject as refusal:
            raise Reject(str(refusal), requeue=True) from refusal

    def on_failure(
        self, exc: Exception, _task_id: str, _args: Any, kwargs: dict[str, Any], _einfo: Any
    ) -> None:
        """Celery calls this when the task gave up: keep why, for a person to see."""
        lines = "".join(traceback.format_exception(exc)).splitlines()[-_TRACEBACK_LINES:]
        self._keep(f"{type(exc).__name__}: {exc}", kwargs, error="\n".join(lines))

    def _earlier_deliveries(self) -> int:
        """How often this message came before and was never acknowledged.

        A quorum queue counts in a header. The embedded Redis does not count, so there a
        message that comes again is counted here; each retry is a message of its own.
        """
        if self.app.conf.broker_url.startswith("amqp"):
            return int((self.request.get("headers") or {}).get("x-delivery-count") or 0)
        if not (self.request.get("delivery_info") or {}).get("redelivered"):
            return 0
        key = f"deliveries:{self.request.id}:{self.request.retries}"
        try:
            cache.add(key, 0, timeout=_REMEMBERED)
            return int(cache.incr(key))
        except (RedisError, ValueError):  # no cache is no reason to refuse a message
            return 0

    def _keep(self, reason: str, kwargs: dict[str, Any], *, error: str = "") -> None:
        request = self.request
        try:
            DeadLetter.objects.record(
                task_id=str(request.id),
                now=timezone.now(),
                task=self.name,
                # By the task: after a delayed retry the message's own key is another one.
                queue=self.app.amqp.router.route({}, self.name)["queue"].name,
                arguments=kwargs,
                chain=_names(request.chain),
                order_id=kwargs.get("order_id"),
                reason=reason[:200],
                error=error,
                attempts=request.retries + 1,
            )
        except DatabaseError:
            # Nothing more can be done here; RabbitMQ keeps the message in `<queue>.dead`.
            log.exception("task %s %s gave up and could not be kept", self.name, request.id)


def _names(chain: Any) -> list[str]:
    """The tasks that would have followed, next one first (Celery keeps a chain reversed)."""
    return [step["task"] for step in reversed(chain or [])]
