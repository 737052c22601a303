"""Declares the broker's queues, and refuses to work with queues that are not ours."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import PreconditionFailed
from celery import bootsteps
from kombu import Connection, Queue
from kombu.exceptions import OperationalError
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from shop.topology import DEAD_QUEUES, UNROUTED_QUEUE, WORK_QUEUES


class QueuesDiffer(Exception):
    """The broker has a queue of ours with other arguments than the declared ones."""


@contextmanager
def as_operational_errors(connection: Connection) -> Iterator[None]:
    """Whatever the transport raises when its broker is away, as kombu's one OperationalError.

    Kombu translates only some of them: py-amqp's and Redis's own classes pass through it.
    """
    try:
        yield
    except OperationalError:
        raise
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise OperationalError(str(error)) from error


def declare_queues(connection: Connection) -> list[str]:
    """Declare every exchange and queue, dead-letter queues first; returns the queues' names.

    Idempotent. Raises QueuesDiffer when one exists with other arguments, and kombu's
    OperationalError when the broker cannot be reached: at once, unlike kombu by itself.
    """
    queues = [*DEAD_QUEUES, UNROUTED_QUEUE, *WORK_QUEUES]
    with as_operational_errors(connection):
        connection.ensure_connection(max_retries=1, interval_start=0)
        for queue in queues:
            _declare(queue, connection)
        if connection.transport.driver_type == "amqp":
            # A retry that waits in the broker is lost if no worker has declared these yet.
            declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum")
            for queue in WORK_QUEUES:
                bind_queue_to_native_delayed_delivery_exchange(connection, queue)
    return [queue.name for queue in queues]


def _declare(queue: Queue, connection: Connection) -> None:
    try:
        queue(connection.default_channel).declare()
    except PreconditionFailed as error:
        raise QueuesDiffer(
            f"The broker's queue {queue.name} is not the declared one: {error} "
            "Empty and delete it there, or use another virtual host."
        ) from error


class DeclareQueues(bootsteps.StartStopStep):
    """Part of a worker's start and of every reconnect: the queues are there, or it ends."""

    def start(self, parent: Any) -> None:
        try:
            with parent.app.connection_for_write() as connection:
                declare_queues(connection)
        except QueuesDiffer as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(1) from error
        except OperationalError:
            return  # no broker yet: the worker waits for it by itself
