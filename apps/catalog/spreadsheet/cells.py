"""A cell's text: what it says, and how it says that without becoming a formula."""

import re
from typing import Any

# What a spreadsheet would calculate, the wide forms of some locales included. Apostrophes
# before it belong to the rule, so that every text comes back as it was.
_FORMULA = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_ESCAPED = re.compile("'" + _FORMULA.pattern)


def escaped(text: str) -> str:
    """The text, with an apostrophe before what would be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def cell_text(value: Any) -> str:
    """What a cell says, whatever type the spreadsheet gave it; undoes `escaped`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).replace("\r\n", "\n").strip()
    return text[1:] if _ESCAPED.match(text) else text
