"""What a broker message says, read without trust: anybody may have written it."""

import json
from dataclasses import dataclass
from typing import Any

from tasks.steps import Step, following

# Bytes. The shop's own messages carry ids and are far below.
_LARGEST = 100_000
_LONGEST_ID, _LONGEST_NAME = 64, 128


class Unreadable(Exception):
    """No task can be made of the message; its text says why."""


@dataclass(frozen=True, kw_only=True)
class TaskMessage:
    """A message that asks for a task, be it known here or not."""

    task: str
    task_id: str
    args: list[Any]
    kwargs: dict[str, Any]
    chain: list[Step]


def read(message: Any) -> TaskMessage:
    """What a message of kombu asks for; raises Unreadable."""
    headers = message.headers or {}
    task = _text(headers.get("task"), _LONGEST_NAME)
    task_id = _text(headers.get("id"), _LONGEST_ID)
    args, kwargs, embedded = _body(message)
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise Unreadable("body cannot be read: its arguments are not a list and an object")
    try:
        chain = following((embedded or {}).get("chain"))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Unreadable("body cannot be read: its chain is malformed") from None
    return TaskMessage(task=task, task_id=task_id, args=args, kwargs=kwargs, chain=chain)


def _text(value: Any, longest: int) -> str:
    if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable():
        return value
    raise Unreadable("not a task: it has no usable task name and id")


def _body(message: Any) -> list[Any]:
    if message.content_type != "application/json":
        raise Unreadable(f"body cannot be read: its type is {message.content_type!r}")
    if len(message.body) > _LARGEST:
        raise Unreadable(f"body cannot be read: it has {len(message.body)} bytes")
    try:
        body = json.loads(message.body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"body cannot be read: {type(error).__name__}: {error}") from None
    if not isinstance(body, list) or len(body) != 3:
        raise Unreadable("body cannot be read: it is no list of three")
    return body
