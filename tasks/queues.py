"""Declares the broker's exchanges and queues; refuses to work with any that are not ours."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import AccessRefused, PreconditionFailed, ResourceLocked
from celery import Celery, bootsteps
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from shop.topology import ALL_QUEUES, WORK_QUEUES
from tasks.differences import Difference, difference, what_to_do


class QueuesDiffer(Exception):
    """The broker has exchanges or queues of our names that are not the declared ones."""


class MayNotDeclare(Exception):
    """The broker's user has no right to declare: deployment does it with another one."""


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


def queue_of(app: Celery, task: str) -> str:
    """The queue of a task's messages. Not by their own key: a delayed retry has another one."""
    return str(app.amqp.router.route({}, task)["queue"].name)


def declare_queues(connection: Connection) -> list[str]:
    """Declare every exchange and queue, dead-letter queues first; returns a line about each.

    Idempotent. Raises QueuesDiffer, with a line about every one that exists otherwise, and
    MayNotDeclare, and kombu's OperationalError when the broker cannot be reached: at once,
    unlike kombu by itself.
    """
    with as_operational_errors(connection):
        connection.ensure_connection(max_retries=1, interval_start=0)
        differences = list(_declare(connection))
        if differences:
            lines = ["The broker has otherwise than this shop declares it:"]
            lines += [f"  {one}" for one in differences]
            host = connection.virtual_host
            raise QueuesDiffer("\n".join([*lines, *what_to_do(differences, virtual_host=host)]))
        _bind(connection)
    return [
        *(f"exchange {one.name} ({one.type})" for one in _exchanges()),
        *(f"queue {one.name}" for one in ALL_QUEUES),
    ]


def ensure_queues(connection: Connection) -> None:
    """As declare_queues, but a user without the right to declare trusts the deployment."""
    try:
        declare_queues(connection)
    except MayNotDeclare:
        return


def _declare(connection: Connection) -> Iterator[Difference]:
    """Declare all, and yield what is there otherwise."""
    for exchange in _exchanges():
        with connection.channel() as channel:
            declare = exchange(channel).declare
            yield from _differing(declare, kind="exchange", name=exchange.name)
    for queue in ALL_QUEUES:
        yield from _declare_queue(connection, queue)
    if connection.transport.driver_type == "amqp":
        # A retry that waits in the broker is lost if no worker has declared these yet.
        yield from _differing(
            lambda: declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum"),
            kind="queue",
            name="celery_delayed",
        )


def _declare_queue(connection: Connection, queue: Queue) -> Iterator[Difference]:
    """Declare it and yield every argument that differs: RabbitMQ names one at a time."""
    arguments: dict[str, Any] = dict(queue.queue_arguments or {})
    known: set[str] = set()
    while True:
        with connection.channel() as channel:
            bound = queue(channel)
            bound.queue_arguments = arguments
            found = _differing(bound.queue_declare, kind="queue", name=queue.name)
        if not found or found[0].argument in known:
            return
        yield found[0]
        # Agree with the broker about this one, to hear of the next.
        known.add(found[0].argument)
        arguments = _with(arguments, found[0])


def _with(arguments: dict[str, Any], found: Difference) -> dict[str, Any]:
    value = found.found
    others = {name: one for name, one in arguments.items() if name != found.argument}
    if value is None or not found.argument.startswith("x-"):
        return others
    return others | {found.argument: int(value) if value.isdecimal() else value}


def _differing(declare: Callable[[], object], *, kind: str, name: str) -> list[Difference]:
    try:
        declare()
    except (PreconditionFailed, ResourceLocked) as refusal:
        return [difference(str(refusal.reply_text), kind=kind, name=name)]
    except AccessRefused as refusal:
        raise MayNotDeclare(refusal.reply_text) from refusal
    return []


def _bind(connection: Connection) -> None:
    with connection.channel() as channel:
        for queue in ALL_QUEUES:
            queue(channel).queue_bind()
    if connection.transport.driver_type == "amqp":
        for queue in WORK_QUEUES:
            bind_queue_to_native_delayed_delivery_exchange(connection, queue)


def _exchanges() -> list[Exchange]:
    return list({queue.exchange.name: queue.exchange for queue in ALL_QUEUES}.values())


class DeclareQueues(bootsteps.StartStopStep):
    """Part of a worker's start and of every reconnect: the queues are there, or it ends."""

    def start(self, parent: Any) -> None:
        try:
            with parent.app.connection_for_write() as connection:
                ensure_queues(connection)
        except QueuesDiffer as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(1) from error
        except OperationalError:
            return  # no broker yet: the worker waits for it by itself
