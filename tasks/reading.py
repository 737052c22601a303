"""The position that a task's message carries, for a task that may read a standby.

Whoever started the task has seen the primary as it was then, so it must not be shown less. A
message without a position, or with one that cannot be read, is newer than any standby: the
primary is read.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import Error as DatabaseError

from shop.routing.positions import NEVER, lsn, position, primary_position

# Among a message's headers, as PostgreSQL writes it: 16/B374D848.
READ_AFTER_HEADER = "read_after"

log = logging.getLogger(__name__)


def read_after(request: Any) -> int:
    """What a standby must have replayed before the task of this request may read it."""
    try:
        return position((request.get("headers") or {})[READ_AFTER_HEADER])
    except (KeyError, ValueError, AttributeError):
        return NEVER


def as_of_now(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """The headers with the primary's position of now; without any if it cannot say."""
    given = headers or {}
    others = {name: value for name, value in given.items() if name != READ_AFTER_HEADER}
    try:
        return {**others, READ_AFTER_HEADER: lsn(primary_position())}
    except DatabaseError as error:
        log.warning("no position of the primary: %s", type(error).__name__)
        return others
