"""JSON bodies that nothing behind them can choke on."""

import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

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
        except ParseError:
            # The framework's text is Python's, which is nobody's business.
            raise ParseError("The body is not valid JSON.") from None
        _check(data)
        return data


class JSONNegotiation(DefaultContentNegotiation):
    """Asked at the start of every call: one that may change something is
    JSON, or names no type at all.

    Also where the view reads no body. What a page elsewhere can have a browser send without
    asking the shop first is a form or plain text, with the shop's cookies.
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        kind = "" if request.method in SAFE_METHODS else request.content_type
        if kind and self.select_parser(request, request.parsers or ()) is None:
            raise UnsupportedMediaType(kind)
        return super().select_renderer(request, renderers, format_suffix)


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
    if isinstance(value, str) and not is_storable(value):
        raise ParseError("The JSON has a character that no text may contain.")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep it: no NUL, and no half of a surrogate pair, which JSON can
    write and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
