"""Text as people can read it: without mark-up, on one line, cut to what a column holds."""

import re
from html.parser import HTMLParser

# What PostgreSQL cannot keep (NUL, half a surrogate pair), and what nobody can see.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ON_A_LINE_OF_ITS_OWN = frozenset(
    {"p", "div", "br", "ul", "ol", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_NOT_SHOWN = frozenset({"script", "style"})


def plain_text(html: str) -> str:
    """What a browser shows of it, a paragraph or list item a line, entities resolved."""
    if "<" not in html and "&" not in html:  # most of it, and parsing takes long
        return _lines(_UNFIT.sub(" ", html))
    parser = _Text()
    parser.feed(html)
    parser.close()
    return _lines("".join(parser.parts))


def one_line(text: str) -> str:
    """The text with single blanks between its words."""
    return " ".join(_UNFIT.sub(" ", text).split())


def cut(text: str, *, length: int) -> str:
    """The text if it fits; else the words that do, and an ellipsis."""
    if len(text) <= length:
        return text
    start = text[: length - 1]
    whole_words = start if text[length - 1] == " " else start.rpartition(" ")[0]
    # A word that is most of it is cut itself.
    return (whole_words if len(whole_words) > length // 2 else start).rstrip() + "…"


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line not in ("", "•"))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """“<![foo[” is no mark-up, which html.parser would refuse: it is text."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            self.handle_data("<![")
            return i + len("<![")

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        if tag in _NOT_SHOWN:
            self._hidden += 1
        elif tag in _ON_A_LINE_OF_ITS_OWN:
            self.parts.append("\n• " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _NOT_SHOWN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _ON_A_LINE_OF_ITS_OWN:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(_UNFIT.sub(" ", data))
