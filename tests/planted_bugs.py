"""Plants one bug after another in a copy of the shop and shows that a test notices each.

    python -m tests.planted_bugs [WORD ...]      only the bugs whose name has one of the words

A protection counts only when its test has been seen to fail without it. Exit status 1 when a
bug survives, or when the code that it would change is no longer there.
"""

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
_LEFT_OUT = shutil.ignore_patterns("var", ".venv", ".git", "__pycache__", ".*_cache")


class Bug(NamedTuple):
    name: str
    file: str
    old: str
    new: str
    tests: list[str]


def main() -> int:
    words = sys.argv[1:]
    bugs = [Bug(**bug) for bug in tomllib.loads(_BUGS.read_text())["bug"]]
    chosen = [bug for bug in bugs if not words or any(word in bug.name for word in words)]
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "shop"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        survived = [bug.name for bug in chosen if not _is_noticed(bug, copy)]
    _say(f"{len(chosen) - len(survived)} of {len(chosen)} planted bugs were noticed")
    return 1 if survived or not chosen else 0


def _is_noticed(bug: Bug, copy: Path) -> bool:
    source = copy / bug.file
    sound = source.read_text()
    if sound.count(bug.old) != 1:
        _say(f"STALE     {bug.name}: {bug.file} does not hold the code once")
        return False
    started = time.monotonic()
    source.write_text(sound.replace(bug.old, bug.new))
    try:
        failed = _failing_tests(bug, copy)
    finally:
        source.write_text(sound)
    verdict = f"noticed   {bug.name}: {failed[0]}" if failed else f"SURVIVED  {bug.name}"
    _say(f"{verdict} ({time.monotonic() - started:.0f} s)")
    return bool(failed)


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
    if ended.returncode not in (0, 1):  # unable to run: neither noticed nor survived
        _say(f"{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
        raise SystemExit(f"{bug.name}: the tests could not run")
    return re.findall(r"^FAILED \S*::(\S+)", ended.stdout, flags=re.MULTILINE)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
