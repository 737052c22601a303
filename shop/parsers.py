"""JSON bodies that nothing behind them can choke on."""

import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 32


class BoundedJSONParser(JSONParser):
    """The framework's strict parser (no NaN, at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes), with
    bounds on what it lets through: depth, and text that PostgreSQL cannot store or UTF-8
    cannot say."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        _check(data)
        return data


def _check(data: Any) -> None:
    """Raise ParseError if a value anywhere in `data` is out of bounds."""
    level = [data]
    for _ in range(MAX_DEPTH):
        for value in level:
            _check_value(value)
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise ParseError("The JSON is nested too deeply.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _check_value(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ParseError("The JSON has a number that is too large.")
    if isinstance(value, str) and ("\x00" in value or not _is_encodable(value)):
        raise ParseError("The JSON has a character that no text may contain.")


def _is_encodable(text: str) -> bool:
    """False for half of a surrogate pair, which JSON can write and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
