"""Takes out of a text what can be recognized as somebody's: the net under the log lines.

It is not the rule. The rule is that nobody logs a person's data; names, for one, cannot be
recognized at all.
"""

import re

_ADDRESS_CHARACTERS = r"\w.!#$%'*+^`{|}~-"
_LABEL = r"""[^\s@.,;:<>"'()\[\]{}/\\?&=]+"""
_EMAIL = re.compile(
    # The look behind lets a long word without an @ be tried once and not from every letter.
    rf"""(?:"[^"\n]{{1,64}}"|(?<![{_ADDRESS_CHARACTERS}])[{_ADDRESS_CHARACTERS}]+)"""
    r"(?:@|%(?:25)*40)"
    rf"{_LABEL}(?:\.{_LABEL})+"
)
_IN_URL = re.compile(r"://[^\s/@:]{0,100}:[^\s/@]{0,300}@")
_TOKEN = re.compile(r"eyJ[\w.=+/-]*")
_SCHEME = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_NAMED = re.compile(
    r"""\b((?:set-)?cookie|authorization|sessionid|csrftoken|guest|password|token|secret)"""
    r"""(["']?\s*[:=]\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s,;&]+(?:;[^\n]*)?)""",
    re.IGNORECASE,
)
# PostgreSQL quotes the whole row, names and all. The detail ends where the traceback goes on.
_DETAIL = re.compile(r"DETAIL:.*?(?=\n\n|\Z)", re.DOTALL)
_DIGITS = re.compile(
    # A uuid is no card number, though some of its digits may add up like one.
    r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b"
    r"|(?<![0-9A-Za-z])(?P<card>\d(?:[ -]?\d){12,18})(?![0-9A-Za-z])"
)


def scrub(text: str) -> str:
    """The text with [e-mail], [token], [card] and [row] where such a thing was."""
    text = _DETAIL.sub("DETAIL: [row]", text)
    text = _IN_URL.sub("://[token]@", text)
    text = _TOKEN.sub("[token]", text)
    text = _SCHEME.sub(r"\1 [token]", text)
    text = _NAMED.sub(r"\1\2[token]", text)
    text = _EMAIL.sub("[e-mail]", text)
    return _DIGITS.sub(_card, text)


def is_card_number(digits: str) -> bool:
    """Whether the last digit fits the others, as Luhn's formula has it."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _card(match: re.Match[str]) -> str:
    number = re.sub("[ -]", "", match["card"] or "")
    return "[card]" if number and is_card_number(number) else match[0]
