"""What the log lines of one request or task have in common, and what follows its messages.

A request or a task begins; whoever learns more about it binds that; when it ends, all of it is
forgotten. An outbox row, the headers of task messages and an e-mail carry two of the fields on,
so that one order can be followed through every process.
"""

from collections.abc import Mapping

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

_CARRIED = ("request_id", "order")


def begin(**fields: str | int) -> None:
    """From here on every log line of this thread names these fields, and no earlier ones."""
    clear_contextvars()
    bind_contextvars(**fields)


def bind(**fields: str | int) -> None:
    """The lines that follow name these, too: `bind(order=order.number)`."""
    bind_contextvars(**fields)


def end() -> None:
    clear_contextvars()


def carried() -> dict[str, str]:
    """What messages about this request or task take along: its request id and order number."""
    return carried_by(get_contextvars())


def carried_by(fields: object) -> dict[str, str]:
    """The same out of what a message brought along, whatever that was."""
    if not isinstance(fields, Mapping):
        return {}
    return {name: str(fields[name]) for name in _CARRIED if fields.get(name)}
