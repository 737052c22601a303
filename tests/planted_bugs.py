"""Plants one bug after another in a copy of the shop and shows that a test notices each.

    python -m tests.planted_bugs [--record] [WORD ...]

Only the bugs whose name has one of the words. With --record the table of docs/planted-bugs.md
says what came of each; of the bugs that were not tried it keeps what it said.

A protection counts only when its test has been seen to fail without it. Exit status 1 when a
bug survives, or when the code that it would change is no longer there.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

from tests.servers import DIRECTORY

ROOT = Path(__file__).resolve().parents[1]
_BUGS = ROOT / "tests" / "planted_bugs.toml"
_PAGE = ROOT / "docs" / "planted-bugs.md"
_TABLE_HEAD = "| planted bug | the test that failed |\n|---|---|\n"
_LEFT_OUT = shutil.ignore_patterns("var", ".venv*", ".git", "__pycache__", ".*_cache")


class Bug(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    tests: list[str]


def main() -> int:
    options = _parser().parse_args()
    bugs = all_bugs()
    words = options.words
    chosen = [bug for bug in bugs if not words or any(word in bug.name for word in words)]
    outcomes = {}
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "shop"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        for bug in chosen:
            outcomes[bug.name] = _plant(bug, copy)
            if options.record:  # at once, for who stops the rest
                _record([bug.name for bug in bugs], outcomes)
    noticed = [outcome for outcome in outcomes.values() if outcome.startswith("`")]
    _say(f"{len(noticed)} of {len(chosen)} planted bugs were noticed")
    return 1 if len(noticed) < len(chosen) or not chosen else 0


def all_bugs() -> list[Bug]:
    return [Bug(**bug) for bug in tomllib.loads(_BUGS.read_text())["bug"]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.planted_bugs")
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--record", action="store_true")
    return parser


def _record(names: list[str], outcomes: dict[str, str]) -> None:
    """Write the table of the page anew: what these outcomes say, else what it said."""
    before, _, rest = _PAGE.read_text().partition(_TABLE_HEAD)
    table, _, after = rest.partition("\n\n")
    known = dict(re.findall(r"^\| (.+?) \| (.*?) ?\|$", table, flags=re.MULTILINE)) | outcomes
    rows = [f"| {name} | {known.get(name, '')} |" for name in names]
    _PAGE.write_text(f"{before}{_TABLE_HEAD}" + "\n".join(rows) + f"\n\n{after}")


def _plant(bug: Bug, copy: Path) -> str:
    """The test that noticed the bug, in backquotes; else SURVIVED, or STALE."""
    source = copy / bug.file
    sound = source.read_text()
    if sound.count(bug.old) != 1:
        _say(f"STALE     {bug.name}: {bug.file} does not hold the code once")
        return "STALE"
    started = time.monotonic()
    source.write_text(sound.replace(bug.old, bug.new))
    try:
        failed = _failing_tests(bug, copy)
    finally:
        source.write_text(sound)
    verdict = f"noticed   {bug.name}: {failed[0]}" if failed else f"SURVIVED  {bug.name}"
    _say(f"{verdict} ({time.monotonic() - started:.0f} s)")
    return f"`{failed[0]}`" if failed else "SURVIVED"


def _failing_tests(bug: Bug, copy: Path) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-x"]
    command += ["--tb=no", "--create-db", *bug.tests]
    ended = subprocess.run(  # noqa: S603 our own tests
        command,
        cwd=copy,
        # The servers of the usual tests, so that the copy starts none of its own.
        env={
            **os.environ,
            "PLUGPROOF_TEST_SERVERS": str(DIRECTORY),
            "TEST_DB_SUFFIX": "planted",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^FAILED \S*::(.+?)(?: - .*)?$", ended.stdout, flags=re.MULTILINE)
    # Unable to run, or broken off by an error: neither noticed nor survived.
    if ended.returncode not in (0, 1) or (ended.returncode == 1 and not failed):
        _say(f"{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
        raise SystemExit(f"{bug.name}: the tests could not run")
    return failed


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
