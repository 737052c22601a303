"""Files of JSON lines: one object a line, gzip or not, each line judged by itself.

Knows nothing of what the lines mean: a line that means nothing is left out with its reason, and
the others are read all the same.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

# Beyond this a line is a mistake.
MAX_LINE_BYTES = 1024 * 1024

_GZIP = b"\x1f\x8b"


class Unreadable(Exception):
    """The file is not there, may not be read, or is damaged."""


class Broken(Exception):
    """Why a line is not what it should be."""


@dataclass(frozen=True, kw_only=True)
class BrokenLine:
    line_number: int
    reason: str


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, blank ones left out, none longer than one byte too many.

    Raises Unreadable, perhaps in the middle.
    """
    with _opened(path) as file:
        line_number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            line_number += 1
            rest = raw
            while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES + 1)
            if raw.strip():
                yield line_number, raw


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            is_packed = file.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if is_packed else path.open("rb") as file:
            yield cast("BinaryIO", file)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(f"{path} cannot be read: {reason}.") from error


def json_object(raw: bytes) -> dict[str, Any]:
    """What the line holds; raises Broken."""
    if len(raw) > MAX_LINE_BYTES:
        raise Broken(f"longer than {MAX_LINE_BYTES} bytes")
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        raise Broken("not JSON") from None
    if not isinstance(record, dict):
        raise Broken("not a JSON object")
    return record


def short(value: Any) -> str:
    """Enough of it to find it, as one line; of a list or an object only that it is one."""
    if isinstance(value, list | dict):
        return f"a {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
