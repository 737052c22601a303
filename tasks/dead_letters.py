"""Makes rows of what the broker has buried: every `<queue>.dead`, and `shop.unrouted`.

A task that gives up writes its row itself, with the traceback; here that row is completed. The
row is made for what could not do that: an unknown task, a killer, a foreign message, a worker
without its database. Message by message: the row is committed, then the message is
acknowledged. Killed in between, the message comes again and changes nothing; only a foreign
one, which has no id, is counted again.
"""

import hashlib
import logging
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database
from kombu import Connection, Queue

from shop import log_context
from shop.celery import app
from shop.topology import DEAD_QUEUES, UNROUTED_QUEUE
from tasks.dead_queues import GAVE_UP_HEADER
from tasks.messages import TaskMessage, Unreadable, read
from tasks.models import FOREIGN, DeadLetter, order_id_of
from tasks.queues import as_operational_errors
from tasks.steps import REPLAY_HEADER

_FOREIGN_TASK = "none"
_MOST = 1_000_000  # attempts: anybody may have written the header
_LARGEST_BODY = 100_000  # characters of the original that are kept
# The broker says the second in which a message died, and a letter's own times are exact.
_SECOND = timedelta(seconds=1)
# What has to be computed and shown with a time: anybody may have written that header, too.
_YEARS = range(2000, 9000)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Buried:
    """A message from a dead-letter queue, as far as it can be understood."""

    task_id: str
    replay: int
    died_at: datetime | None
    facts: dict[str, Any] = field(repr=False)

    @property
    def is_foreign(self) -> bool:
        return self.task_id.startswith(FOREIGN)


def collect_dead_letters(*, now: datetime, limit: int = 500) -> int:
    """Make rows of up to `limit` buried messages; returns how many there were.

    Raises kombu's OperationalError when the broker is away, and then what was done is done.
    """
    # First, so that nothing is taken from the broker while there is nowhere to put it: it
    # would come back, and newer brokers drop what comes back too often.
    database.ensure_connection()
    app.loader.import_default_modules()
    with app.connection_for_write() as broker, as_operational_errors(broker):
        broker.ensure_connection(max_retries=1, interval_start=0)
        return _collect(broker, now=now, limit=limit)


def _collect(broker: Connection, *, now: datetime, limit: int) -> int:
    done = 0
    for queue in (*DEAD_QUEUES, UNROUTED_QUEUE):
        bound = queue(broker.default_channel)
        while done < limit and (message := bound.get()) is not None:
            if _has_row(message, queue=queue, now=now):
                message.ack()
            done += 1
    return done


def _has_row(message: Any, *, queue: Queue, now: datetime, problem: str = "") -> bool:
    """Make its row, if need be one that says `problem` alone; whether there is one now.

    Without a row it is not acknowledged, and the broker has it again when we are gone.
    """
    try:
        buried = _only_kept(message, queue, problem) if problem else understand(message, queue)
        keep(buried, now=now)
    except (OperationalError, InterfaceError):
        raise  # the database is away, which is no fault of this message
    except Exception as error:  # noqa: BLE001 no message may keep the others from their rows
        reason = f"could not be understood: {type(error).__name__}"
        log.error("a message on %s %s", queue.name, reason)
        return not problem and _has_row(message, queue=queue, now=now, problem=reason)
    return True


@transaction.atomic
def keep(buried: Buried, *, now: datetime) -> None:
    """Write what is new in it: a letter, another failure of one, or the original message."""
    letter = (
        DeadLetter.objects.select_for_update(no_key=True).filter(task_id=buried.task_id).first()
    )
    if letter is None or _is_news(buried, letter):
        at = buried.died_at or now
        DeadLetter.objects.record(task_id=buried.task_id, now=at, **buried.facts)
    else:
        DeadLetter.objects.complete(letter, buried.facts)


def _is_news(buried: Buried, letter: DeadLetter) -> bool:
    """Whether it tells of a failure that the letter does not know of."""
    if buried.is_foreign:
        return True
    if letter.status == DeadLetter.Status.OPEN or buried.replay < letter.replays:
        return False  # written down by the task itself, or older than the last replay
    if letter.resolved_at is None:
        return True  # the replay failed, and its worker could not write that down
    return buried.died_at is not None and buried.died_at + _SECOND > letter.resolved_at


def understand(message: Any, queue: Queue) -> Buried:
    """Whatever can be told about a message that was taken from `queue`."""
    headers = message.headers or {}
    death = _death(message, queue)
    told = headers.get(GAVE_UP_HEADER)
    told = told if isinstance(told, dict) else {}
    facts: dict[str, Any] = {
        "queue": queue.name.removesuffix(".dead"),
        "context": log_context.carried_by(headers),
        "error": str(told.get("error", "")),
        "attempts": _attempts(headers),
        "message": _original(message),
    }
    try:
        task = read(message)
        facts |= _facts_of(task)
        task_id, problem = task.task_id, _problem_of(task)
    except Unreadable as unreadable:
        task_id, problem = _foreign_id(message), str(unreadable)
        facts |= {"task": _FOREIGN_TASK}
        facts["message"]["unreadable"] = problem
    reason = told.get("reason") or _unrouted(message, queue) or problem or _word_for(death)
    facts["reason"] = str(reason)
    replay = headers.get(REPLAY_HEADER)
    return Buried(
        task_id=task_id,
        replay=replay if isinstance(replay, int) else 0,
        died_at=_time_of(told.get("at")) or _time_of(death.get("time")),
        facts=facts,
    )


def _only_kept(message: Any, queue: Queue, problem: str) -> Buried:
    facts = {
        "task": _FOREIGN_TASK,
        "queue": queue.name.removesuffix(".dead"),
        "reason": problem,
        "message": {"body": repr(message.body)[:_LARGEST_BODY], "unreadable": problem},
    }
    return Buried(task_id=_foreign_id(message), replay=0, died_at=None, facts=facts)


def _facts_of(task: TaskMessage) -> dict[str, Any]:
    return {
        "task": task.task,
        "args": task.args,
        "arguments": task.kwargs,
        "chain": task.chain,
        "order_id": order_id_of(task.kwargs),
    }


def _problem_of(task: TaskMessage) -> str:
    return "" if task.task in app.tasks else f"unknown task {task.task!r}"


def _unrouted(message: Any, queue: Queue) -> str:
    if queue.name != UNROUTED_QUEUE.name:
        return ""
    return f"no queue takes the routing key {_routing_key(message)!r}"


def _word_for(death: dict[str, Any]) -> str:
    """The reason as the broker gives it, for a message that nobody else has a word for."""
    reason = death.get("reason")
    if reason == "rejected":
        return "rejected: a worker refused it, and could not write down why"
    if reason == "delivery_limit":
        return "delivery_limit: it came back too often without an acknowledgement"
    return str(reason or "nobody has said why")


def _death(message: Any, queue: Queue) -> dict[str, Any]:
    """What RabbitMQ says of the death on the work queue; empty if there was none.

    A retry that has waited in the broker has died of its time there, and says that as well.
    """
    deaths = (message.headers or {}).get("x-death")
    work_queue = queue.name.removesuffix(".dead")
    for death in deaths if isinstance(deaths, list) else []:
        if isinstance(death, dict) and death.get("queue") == work_queue:
            return death
    return {}


def _attempts(headers: dict[str, Any]) -> int:
    # Not x-delivery-count: on a dead-letter queue that is about this queue.
    retries = headers.get("retries")
    return 1 + retries if isinstance(retries, int) and 0 <= retries < _MOST else 1


def _time_of(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    if not isinstance(time, datetime) or time.year not in _YEARS:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _foreign_id(message: Any) -> str:
    body = message.body
    raw = body if isinstance(body, bytes) else str(body).encode(errors="replace")
    return FOREIGN + hashlib.sha256(raw).hexdigest()[:32]


def _original(message: Any) -> dict[str, Any]:
    info = message.delivery_info or {}
    return {
        "exchange": info.get("exchange"),
        "routing_key": _routing_key(message),
        "content_type": message.content_type,
        "headers": message.headers,
        "properties": message.properties,
        **_body_of(message),
    }


def _routing_key(message: Any) -> str:
    return str((message.delivery_info or {}).get("routing_key"))


def _body_of(message: Any) -> dict[str, str]:
    body = message.body
    try:
        text = body if isinstance(body, str) else bytes(body).decode()
    except UnicodeDecodeError:
        return {"body_base64": b64encode(body).decode()[:_LARGEST_BODY]}
    return {"body": text[:_LARGEST_BODY]}
