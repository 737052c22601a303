"""Anything, as PostgreSQL's jsonb and text can hold it: messages may come from anybody."""

import math
import re
from typing import Any

# PostgreSQL stores neither the character 0 nor half of a surrogate pair.
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_DEEPEST = 50  # far below where Python, and whoever reads the row, gives up


def storable(value: Any, *, depth: int = 0) -> Any:
    """The same value, with what cannot be stored replaced or written out as text."""
    if isinstance(value, dict | list | tuple) and depth > _DEEPEST:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {_text(str(key)): storable(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item, depth=depth + 1) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _text(str(value))


def _text(text: str) -> str:
    return _NOT_STORABLE.sub("\ufffd", text)
