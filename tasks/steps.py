"""Steps of a chain as plain data: what a row keeps, and what is started from it again.

A step is {"task", "task_id", "args", "kwargs"}. The shop's steps are all immutable: none takes
what the one before it returned.
"""

from typing import Any

from celery.canvas import Signature

from shop.celery import app
from shop.outbox.models import OutboxMessage

Step = dict[str, Any]

# Start a task, and the steps after it, with the ids that it has had from the beginning: one
# that gave up and is replayed, or one that the broker would not take from a worker.
TASK_RESUMED = "task.resumed"
# The number of the replay, among a message's headers.
REPLAY_HEADER = "replay"


class UnknownTask(LookupError):
    """This version of the shop has no such task."""


def following(chain: Any) -> list[Step]:
    """The steps of a chain as Celery carries it, which is reversed: the next one first."""
    return [
        {
            "task": step["task"],
            "task_id": step["options"].get("task_id"),
            "args": list(step["args"]),
            "kwargs": dict(step["kwargs"]),
        }
        for step in reversed(chain or [])
    ]


def resumed(
    step: Step, *, chain: list[Step], context: dict[str, Any], replay: int = 0
) -> OutboxMessage:
    """The outbox message, not saved, that starts the step and its chain with their ids."""
    # The order's id is for people who look for its messages.
    payload = {**step, "chain": chain, "order_id": step["kwargs"].get("order_id")}
    if replay:
        payload["replay"] = replay
    return OutboxMessage(topic=TASK_RESUMED, payload=payload, context=context)


def start_resumed(*, chain: list[Step], replay: int = 0, **first: Any) -> list[Signature[Any]]:
    """The handler of TASK_RESUMED; raises UnknownTask, or KeyError when a field is missing."""
    signatures = [_signature(step) for step in (first, *chain)]
    if replay:
        headers: dict[str, Any] = {REPLAY_HEADER: replay}
        signatures[0].set(headers=headers)
    return signatures


def _signature(step: Step) -> Signature[Any]:
    name = step["task"]
    if name not in app.tasks:
        raise UnknownTask(f"this version has no task {name!r}")
    signature: Signature[Any] = app.signature(
        name, args=step["args"], kwargs=step["kwargs"], immutable=True
    )
    signature.set(task_id=step["task_id"])
    return signature
