"""Declares the broker's queues, and refuses to work with queues that are not ours."""

import sys
from typing import Any

from celery import bootsteps
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from shop.topology import DEAD_QUEUES, UNROUTED_QUEUE, WORK_QUEUES


class QueuesDiffer(Exception):
    """The broker has a queue of ours with other arguments than the declared ones."""


def declare_queues(connection: Connection) -> list[str]:
    """Declare every exchange and queue, dead-letter queues first; returns the queues' names.

    Idempotent. Raises QueuesDiffer when one exists with other arguments.
    """
    queues = [*DEAD_QUEUES, UNROUTED_QUEUE, *WORK_QUEUES]
    for queue in queues:
        try:
            queue(connection.default_channel).declare()
        except connection.channel_errors as error:
            raise QueuesDiffer(
                f"The broker's queue {queue.name} is not the declared one: {error} "
                "Empty and delete it there, or use another virtual host."
            ) from error
    if connection.transport.driver_type == "amqp":
        # Without these, a retry that waits in the broker is lost before a worker declares them.
        declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum")
        for queue in WORK_QUEUES:
            bind_queue_to_native_delayed_delivery_exchange(connection, queue)
    return [queue.name for queue in queues]


class DeclareQueues(bootsteps.StartStopStep):
    """A worker's first step: declare the queues, or end with one clear line."""

    def start(self, worker: Any) -> None:
        try:
            with worker.app.connection_for_write() as connection:
                declare_queues(connection)
        except QueuesDiffer as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(1) from error
        except (OSError, OperationalError):
            return  # no broker yet: the worker waits for it by itself, and declares then
