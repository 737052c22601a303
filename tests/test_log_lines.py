"""A line that names somebody fails the run that logged it."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import PASSWORD
from tests.log_lines import personal_lines
from tests.servers import DIRECTORY, run_directory

ROOT = Path(__file__).resolve().parents[1]
PLANTED = """
import logging

def test_places_an_order() -> None:
    logging.getLogger("apps.orders").info("an order of %s", {who!r})
"""


@pytest.mark.parametrize(
    "said",
    [
        "mail to ada@example.com",
        "Authorization: eyJhbGciOiJIUzI1NiJ9.e30.x",
        "Ada Lovelace bought",
        "to 12 St James's Square",
        f"with {PASSWORD}",
        "by 4111 1111 1111 1111",
        "by 4111111111111111",
        "--- Logging error ---",
    ],
)
def test_finds_the_line_that_says_it(tmp_path: Path, said: str) -> None:
    path = tmp_path / "web.log"
    path.write_text(f"nobody\n{said}\n")
    (finding,) = personal_lines(path)
    assert finding.startswith(f"{path}:2 holds a")
    assert list(personal_lines(path, skip=2)) == []


def test_finds_nothing_in_ids_numbers_and_names_of_machines(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text(
        "41111111-1111-4111-8111-111111111111 order@vm redis://[token]@127.0.0.1:6379\n"
        "2026-11-24 12:00:00.000 UTC [4111] [e-mail] [card] K7MX2WQ9RTHB 4111111111111112\n"
    )
    assert list(personal_lines(path)) == []


def test_keeps_what_this_process_logs_also_while_a_test_looks_at_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("some.library").info("kept line")
        logging.getLogger("some.library").debug("line for nobody")
    kept = (run_directory() / "log" / "tests.log").read_text()
    assert "kept line" in kept
    assert "line for nobody" not in kept


@pytest.mark.parametrize(
    ("who", "status", "last"),
    [
        ("Ada Lovelace", 1, "tests.log:1 holds a name (Lovelace|Grace Guest)"),
        ("order-17", 0, "1 passed"),
    ],
)
def test_a_run_that_logs_a_name_fails_and_says_where(
    tmp_path: Path, who: str, status: int, last: str
) -> None:
    (tmp_path / "test_planted.py").write_text(PLANTED.format(who=who))
    options = ["-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    ended = subprocess.run(  # noqa: S603 our own tests
        [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_planted.py")],
        cwd=ROOT,
        env={
            **os.environ,
            "PLUGPROOF_TEST_SERVERS": str(DIRECTORY),
            "TEST_DB_SUFFIX": "planted_line",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stdout
    assert last in ended.stdout
