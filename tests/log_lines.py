"""A plugin of pytest: no line that a run logs names a person.

The test settings keep what every process logs, as production would write it, in one file; the
processes that tests start have files of their own beside it, with all that they print. When the
last test is over all of it is searched, with the database's own log, and what is found fails
the run, whichever tests were selected.
"""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.log_lines import formatter
from shop.scrubbing import is_card_number
from tests.servers import DIRECTORY, run_directory

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
_read: dict[Path, int] = {}  # how many lines of a log are older than this run


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


@pytest.hookimpl(wrapper=True)  # before Django opens the file
def pytest_load_initial_conftests() -> Iterator[None]:
    directory = run_directory() / "log"
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.log"):
        old.unlink()
    os.environ["TEST_LOG"] = str(directory / "tests.log")
    _read.update({path: len(_lines(path)) for path in _logs()})
    return (yield)


@pytest.hookimpl(trylast=True)  # processes that tests share end in an earlier one
def pytest_sessionfinish(session: pytest.Session) -> None:
    for path in _logs():
        _findings.extend(personal_lines(path, skip=_read.get(path, 0)))
    if _findings and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for finding in _findings:
        terminalreporter.write_line(f"FAILED log lines: {finding}", red=True)


def personal_lines(path: Path, *, skip: int = 0) -> Iterator[str]:
    """File, line and what it holds of a person, for every such line but the first `skip`."""
    for number, line in enumerate(_lines(path), start=1):
        if number > skip:
            for what in _personal_parts(line):
                yield f"{path}:{number} holds {what}"


def _logs() -> list[Path]:
    """Of this run's processes; and of the database, which goes on writing from run to run."""
    database = [DIRECTORY / "log" / f"{name}.log" for name in ("primary", "standby")]
    return [path for path in [*run_directory().glob("log/*.log"), *database] if path.exists()]


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()


def _personal_parts(line: str) -> Iterator[str]:
    for what, pattern in _PERSONAL.items():
        if re.search(pattern, line):
            yield f"{what} ({pattern})"
    numbers = (re.sub("[ -]", "", digits) for digits in _DIGITS.findall(line))
    if any(map(is_card_number, numbers)):
        yield f"a card number ({_DIGITS.pattern})"
