"""A plugin of pytest: no line that a run logs names a person.

What this process logs is kept as production would write it, beside the logs of the processes
that tests start. When the last test is over all of it is searched, and what is found fails the
run, whichever tests were selected.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.log_lines import formatter
from shop.scrubbing import is_card_number
from tests.servers import run_directory

# Beside what everybody has, what belongs to the people of tests/builders.py and of the demo.
_PERSONAL = {
    "an e-mail address": r"""[\w.+"'-]@[\w-]+\.[\w.-]+""",
    "a token": r"eyJ",
    "a name": r"Lovelace|Grace Guest",
    "an address": r"St James|SW1Y|Lighthouse Row|D13 X0X0",
    "a telephone number": r"555 0100",
    "a password": r"correct horse|battery staple",
    "a line that logging could not write": r"--- Logging error ---",
}
_DIGITS = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_findings: list[str] = []


class Lines(logging.Handler):
    """Keeps lines in a list, as production would write them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(formatter(form="json"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines of JSON that this process logs during the test."""
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


def pytest_sessionstart() -> None:
    log = run_directory() / "log"
    log.mkdir(parents=True, exist_ok=True)
    for old in log.glob("*.log"):
        old.unlink()
    handler = logging.FileHandler(log / "tests.log")
    handler.setFormatter(formatter(form="json"))
    # What a test may have switched on below that is not logged in production.
    handler.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)


@pytest.hookimpl(trylast=True)  # processes that tests share end in an earlier one
def pytest_sessionfinish(session: pytest.Session) -> None:
    _findings.extend(personal_lines(run_directory() / "log"))
    if _findings and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for finding in _findings:
        terminalreporter.write_line(f"FAILED log lines: {finding}", red=True)


def personal_lines(directory: Path) -> Iterator[str]:
    """File, line and what it holds of a person, for every such line of the directory's logs."""
    for path in sorted(directory.glob("*.log")):
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            for what in _personal_parts(line):
                yield f"{path}:{number} holds {what}"


def _personal_parts(line: str) -> Iterator[str]:
    for what, pattern in _PERSONAL.items():
        if re.search(pattern, line):
            yield f"{what} ({pattern})"
    numbers = (re.sub("[ -]", "", digits) for digits in _DIGITS.findall(line))
    if any(map(is_card_number, numbers)):
        yield f"a card number ({_DIGITS.pattern})"
