"""ShopTask, the base of every task: retries, the poison guard, what becomes of a next step that
cannot be published, and what giving up leaves."""

import logging
import traceback
from datetime import timedelta
from typing import Any

from amqp.exceptions import AMQPError, MessageNacked
from celery import Task
from celery.exceptions import Reject
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from shop.mail.models import NotTaken
from shop.outbox.models import OutboxMessage
from shop.routing.scope import current, scope
from tasks.arguments import known_arguments
from tasks.dead_queues import GAVE_UP_HEADER, broker_buries, bury
from tasks.log_context import carried_by
from tasks.models import DeadLetter, order_id_of
from tasks.queues import queue_of
from tasks.reading import as_of_now, read_after
from tasks.steps import REPLAY_HEADER, following, resumed

# Deliveries of one message without an acknowledgement, before it counts as a killer.
POISON_LIMIT = 5
_REMEMBERED = int(timedelta(days=1).total_seconds())
_TRACEBACK_LINES = 20
# Whatever a transport raises when it cannot, or will not, take a message.
_NOT_TAKEN = (BrokerError, AMQPError, MessageNacked, RedisError, OSError)

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
    # Celery would compare the arguments with the signature before it publishes a retry or a
    # next step, and a newer version may have sent more of them.
    typing = False
    # Whether the task's reads may go to a standby, by the rules of shop/routing/scope.py, as
    # far as that has replayed the position in the message. It decides nothing by them.
    reads_replica = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        deliveries = self._earlier_deliveries()
        if deliveries >= POISON_LIMIT:
            reason = f"poison: {deliveries} deliveries without an acknowledgement"
            self.leave_letter(reason, args, kwargs)
            raise Reject(reason, requeue=False)
        for connection in connections.all(initialized_only=True):
            # Workers keep connections between tasks, and nothing else notices a dead one.
            connection.close_if_unusable_or_obsolete()
        known = known_arguments(self.run, kwargs, of=self.name)
        if not self.reads_replica:
            return super().__call__(*args, **known)
        with scope(replica_ok=True, after=read_after(self.request)) as reads:
            try:
                return super().__call__(*args, **known)
            except DatabaseError:
                if not reads.can_go_on:
                    raise
            reads.go_on()
            return self.run(*args, **known)

    def apply_async(  # type: ignore[override]  # what we pass on is not ours to know
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        task_id: str | None = None,
        **options: Any,
    ) -> Any:
        """As Celery's, but a next step that the broker does not take waits in the outbox.

        What a worker starts, a next step or a retry, may read no standby that has not yet
        replayed what the worker has written.
        """
        if self.reads_replica and self.app.current_worker_task is not None:
            options["headers"] = as_of_now(options.get("headers"))
        try:
            return super().apply_async(args, kwargs, task_id, **options)
        except _NOT_TAKEN as error:
            previous = self.app.current_worker_task
            if previous is None or task_id is None or options.get("retries"):
                raise
            log.warning("%s %s waits in the outbox: %r", self.name, task_id, error)
            step = {
                "task": self.name,
                "task_id": task_id,
                "args": list(args or ()),
                "kwargs": kwargs or {},
            }
            chain = following(options.get("chain"))
            _put_off(resumed(step, chain=chain, context=carried_by(previous.request)))
            return self.AsyncResult(task_id)

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """As Celery's, but a retry that cannot be published puts the message back.

        What failed on a standby is not retried but, by __call__, done again on the primary.
        A retry takes only the shop's headers along: the broker's, like a count of deliveries,
        are about the message that was.
        """
        error, reads = kwargs.get("exc"), current()
        if isinstance(error, DatabaseError) and reads is not None and reads.can_go_on:
            raise error
        headers: dict[str, Any] = dict(carried_by(self.request))
        if (replay := self._replay()) is not None:
            headers[REPLAY_HEADER] = replay
        try:
            return super().retry(*args, headers=headers, **kwargs)
        except Reject as refusal:
            raise Reject(str(refusal), requeue=True) from refusal

    def on_success(
        self, retval: Any, task_id: str, _args: Any, _kwargs: dict[str, Any]
    ) -> None:
        """Celery calls this when the task is done: a replay came to its good end."""
        if (replay := self._replay()) is not None:
            DeadLetter.objects.filter(task_id=task_id, replays=replay).succeeded(
                resolution=str(retval), now=timezone.now()
            )

    def on_failure(
        self, exc: Exception, _task_id: str, args: Any, kwargs: dict[str, Any], _einfo: Any
    ) -> None:
        """Celery calls this when the task gave up: keep why, for a person to see."""
        lines = "".join(traceback.format_exception(exc)).splitlines()[-_TRACEBACK_LINES:]
        reason = f"{type(exc).__qualname__}: {exc}"
        self.leave_letter(reason, args, kwargs, error="\n".join(lines))

    def leave_letter(
        self, reason: str, args: Any, kwargs: dict[str, Any], *, error: str = ""
    ) -> None:
        """Keep that this run gave up, and all that is needed to start it again."""
        request, now = self.request, timezone.now()
        try:
            DeadLetter.objects.record(
                task_id=str(request.id),
                now=now,
                task=self.name,
                queue=queue_of(self.app, self.name),
                args=list(args),
                arguments=kwargs,
                chain=following(request.chain),
                context=carried_by(request),
                order_id=order_id_of(kwargs),
                reason=reason,
                error=error,
                attempts=request.retries + 1,
            )
        except DatabaseError:
            log.exception("task %s %s gave up and has no row yet", self.name, request.id)
            if not broker_buries(self.app):
                self._bury({"reason": reason, "error": error, "at": now.isoformat()})

    def _replay(self) -> int | None:
        """Which replay of a dead letter this run is; None for an ordinary run."""
        replay = (self.request.get("headers") or {}).get(REPLAY_HEADER)
        return replay if isinstance(replay, int) else None

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

    def _bury(self, word: dict[str, str]) -> None:
        """Leave the message on the dead-letter queue, from which the row is made later."""
        request = self.request
        message = self.app.amqp.create_task_message(
            request.id,
            self.name,
            request.args,
            request.kwargs,
            chain=request.chain,
            root_id=request.root_id,
            retries=request.retries,
        )
        headers = {**(request.headers or {}), **message.headers, GAVE_UP_HEADER: word}
        try:
            bury(
                self.app,
                message.body,
                queue=queue_of(self.app, self.name),
                headers=headers,
                serializer="json",
                **message.properties,
            )
        except _NOT_TAKEN as error:
            raise Reject(f"nobody can keep it: {error}", requeue=True) from error


def _put_off(message: OutboxMessage) -> None:
    try:
        message.save(force_insert=True)
    except DatabaseError as error:
        # Nobody has the next step: do this one again, when somebody is back.
        raise Reject(f"the next step cannot be kept: {error}", requeue=True) from error
