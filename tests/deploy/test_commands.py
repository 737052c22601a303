"""What the Makefile and .ci/run do around the programs they call: in the end, stop servers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Writes down how it was called.
RECORDER = """#!/bin/sh
echo "${{0##*/}} $*" >>"{calls}"
exit {status}
"""


def add_program(place: Path, name: str, *, status: int = 0) -> None:
    program = place / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(RECORDER.format(calls=place / "calls", status=status))
    program.chmod(0o755)


def run(place: Path, *command: str) -> tuple[int, list[str]]:
    """The exit status, and how the programs in the directory `bin` and in .venv were called."""
    ended = subprocess.run(  # noqa: S603 ours
        command,
        cwd=place,
        env={"PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    calls = place / "calls"
    return ended.returncode, calls.read_text().splitlines() if calls.exists() else []


class TestContinuousIntegration:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        (tmp_path / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
        add_program(tmp_path, ".venv/bin/python")
        (tmp_path / "var" / "test").mkdir(parents=True)
        return tmp_path

    def test_stops_the_tests_servers_after_a_success(self, place: Path) -> None:
        add_program(place, "bin/make")
        down = "python -m deploy.embedded down --dir var/test"
        assert run(place, ".ci/run") == (0, ["make check", "make test", down])

    @pytest.mark.parametrize("of_down", [0, 1])
    def test_stops_them_after_a_failure_and_keeps_its_status(
        self, place: Path, of_down: int
    ) -> None:
        add_program(place, "bin/make", status=2)
        add_program(place, ".venv/bin/python", status=of_down)
        down = "python -m deploy.embedded down --dir var/test"
        assert run(place, ".ci/run") == (2, ["make check", down])

    def test_stops_nothing_that_was_never_started(self, place: Path) -> None:
        add_program(place, "bin/make", status=2)
        (place / "var" / "test").rmdir()
        assert run(place, ".ci/run") == (2, ["make check"])


class TestServersDown:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """A copy in which servers were started for tests and replay, and .venv is gone."""
        shutil.copy(ROOT / "Makefile", tmp_path)
        add_program(tmp_path, "bin/python3")
        for directory in ("test", "replay"):
            (tmp_path / "var" / directory).mkdir(parents=True)
            (tmp_path / "var" / directory / "lock").touch()
        return tmp_path

    def test_stops_those_of_every_directory_without_a_venv(self, place: Path) -> None:
        down = "python3 -m deploy.embedded down --dir"
        expected = [f"{down} var/replay", f"{down} var/test"]
        assert run(place, "make", "servers-down") == (0, expected)
        assert not (place / ".venv").exists()

    def test_is_the_first_thing_that_clean_does(self, place: Path) -> None:
        data = place / "data"
        data.mkdir()
        (place / "var" / "test" / "data-directory").write_text(f"{data}\n")
        status, calls = run(place, "make", "clean")
        assert (status, len(calls)) == (0, 2)
        assert not data.exists()
        assert not (place / "var").exists()

    def test_keeps_clean_from_deleting_under_a_server_that_does_not_stop(
        self, place: Path
    ) -> None:
        add_program(place, "bin/python3", status=3)
        status, _ = run(place, "make", "clean")
        assert status == 2
        assert (place / "var" / "test").exists()
