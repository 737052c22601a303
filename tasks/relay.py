"""The relay: outbox rows become broker messages, and are marked once the broker has them."""

import logging
import threading
import time
from contextlib import suppress
from datetime import datetime

from celery import Celery
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from shop import log_context
from shop.clock import database_time
from shop.outbox.listen import listen, wait_for_messages
from shop.outbox.models import OutboxMessage
from tasks.models import RELAY, DeadLetter, Heartbeat, order_id_of
from tasks.outbox import UnknownTopic, steps_for
from tasks.publisher import Chain, Publisher, publisher_for
from tasks.steps import UnknownTask

BATCH = 200
_POLL = 1.0  # seconds: what a notification missed, or a postponed row, waits at most
_BEAT = 10.0  # seconds
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.2, 5.0  # seconds without a broker or a database

log = logging.getLogger(__name__)


def relay_batch(publisher: Publisher, *, now: datetime, limit: int = BATCH) -> int:
    """Publish up to `limit` waiting messages; returns how many were claimed.

    Several relays may run: each row is locked by one. A relay that dies between the broker's
    confirm and the commit leaves its rows waiting, and they are published again with the
    same task ids. Raises what Publisher.publish raises, and then no row was marked.
    """
    with transaction.atomic():
        messages = OutboxMessage.objects.claim(limit=limit, now=now)
        if not messages:
            return 0
        startable = _startable(messages, now)
        refused = publisher.publish(list(startable.values()))
        sent = []
        for message, chain in startable.items():
            if chain[0].options["task_id"] in refused:
                message.postpone("refused by the broker", now=now)
            else:
                sent.append(message)
        OutboxMessage.objects.mark_sent(sent, now=now)
        _note_successful_replays(sent, now=now)
    log.debug("relay: %d of %d messages published", len(sent), len(messages))
    return len(messages)


def _startable(messages: list[OutboxMessage], now: datetime) -> dict[OutboxMessage, Chain]:
    chains: dict[OutboxMessage, Chain] = {}
    for message in messages:
        try:
            chains[message] = steps_for(message)
        except (UnknownTopic, UnknownTask) as error:
            _say_that_it_waits(message, _word_for(error))
            message.postpone(_word_for(error), now=now)  # a newer relay will know it
        except Exception as error:  # noqa: BLE001 one bad row must not hold up all the others
            _say_that_it_waits(message, _word_for(error))
            _fail(message, _word_for(error), now=now)
    return chains


def _word_for(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _say_that_it_waits(message: OutboxMessage, error: str) -> None:
    log.warning(
        "outbox message %s (%s) waits: %s",
        message.pk,
        message.topic,
        error,
        extra=log_context.carried_by(message.context),
    )


def _fail(message: OutboxMessage, error: str, *, now: datetime) -> None:
    if not message.fail(error, now=now):
        return
    DeadLetter.objects.record(
        task_id=str(message.uuid),
        now=now,
        task=message.topic,
        queue="outbox",
        arguments=message.payload,
        order_id=order_id_of(message.payload),
        reason=error,
        attempts=message.attempts + 1,
    )


def _note_successful_replays(sent: list[OutboxMessage], *, now: datetime) -> None:
    troubled = [str(message.uuid) for message in sent if message.last_error]
    if troubled:  # rarely: an ordinary batch costs no statement here
        DeadLetter.objects.filter(task_id__in=troubled).succeeded(
            resolution="published", now=now
        )


class Relay:
    """Relays until told to stop, through every absence of the broker or the database."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._publisher: Publisher | None = None
        self._backoff = _FIRST_BACKOFF
        self._told: dict[str, object] = {}
        self._told_at = 0.0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the current batch and end; may be called from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Relay until stop(); raises QueuesDiffer, which no waiting would mend."""
        while not self._stopping.is_set():
            try:
                self._relay_until_stopped()
            except (OperationalError, DatabaseError) as error:
                self._disconnect()
                log.warning("relay: %s; again in %.1f s", error, self._backoff)
                with suppress(DatabaseError):  # then nobody can be told
                    self._beat({"connected": False, "error": type(error).__name__})
                self._stopping.wait(self._backoff)
                self._backoff = min(_LONGEST_BACKOFF, 2 * self._backoff)
        self._disconnect()

    def _relay_until_stopped(self) -> None:
        listen()
        self._publisher = publisher_for(self._app)
        log.info("relay: connected to the broker")
        while not self._stopping.is_set():
            if not relay_batch(self._publisher, now=timezone.now()):
                wait_for_messages(timeout=_POLL)
            self._backoff = _FIRST_BACKOFF
            if self._is_time_to_beat():
                self._publisher.check()  # an idle one would not notice that its broker left
            self._beat({"connected": True})

    def _beat(self, facts: dict[str, object]) -> None:
        if facts != self._told or self._is_time_to_beat():
            Heartbeat.objects.beat(RELAY, facts=facts, now=database_time())
            self._told, self._told_at = facts, time.monotonic()

    def _is_time_to_beat(self) -> bool:
        return time.monotonic() - self._told_at >= _BEAT

    def _disconnect(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None
        connection.close()
