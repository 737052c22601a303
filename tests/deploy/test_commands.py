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

DOWN = [
    f"python -m deploy.embedded down --dir var/{name}" for name in ("test-pipeline", "test")
]


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
        for directory in ("test-pipeline", "test"):
            (tmp_path / "var" / directory).mkdir(parents=True)
        return tmp_path

    def test_stops_the_tests_servers_after_a_success(self, place: Path) -> None:
        add_program(place, "bin/make")
        assert run(place, ".ci/run") == (0, ["make check test", *DOWN])

    @pytest.mark.parametrize("of_down", [0, 1])
    def test_stops_them_after_a_failure_and_keeps_its_status(
        self, place: Path, of_down: int
    ) -> None:
        add_program(place, "bin/make", status=2)
        add_program(place, ".venv/bin/python", status=of_down)
        assert run(place, ".ci/run") == (2, ["make check test", *DOWN])

    def test_stops_nothing_that_was_never_started(self, place: Path) -> None:
        add_program(place, "bin/make", status=2)
        shutil.rmtree(place / "var")
        assert run(place, ".ci/run") == (2, ["make check test"])


class TestServersDown:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """A copy in which servers were started for tests and replay, and .venv is gone."""
        shutil.copy(ROOT / "Makefile", tmp_path)
        add_program(tmp_path, "bin/python3")
        for directory in ("test", "test-pipeline", "replay"):
            (tmp_path / "var" / directory).mkdir(parents=True)
            (tmp_path / "var" / directory / "lock").touch()
        return tmp_path

    def test_stops_those_of_every_directory_without_a_venv(self, place: Path) -> None:
        down = "python3 -m deploy.embedded down --dir"
        expected = [f"{down} var/replay", f"{down} var/test-pipeline", f"{down} var/test"]
        assert run(place, "make", "servers-down") == (0, expected)
        assert not (place / ".venv").exists()

    def test_is_the_first_thing_that_clean_does(self, place: Path) -> None:
        data = place / "data"
        data.mkdir()
        (place / "var" / "test" / "data-directory").write_text(f"{data}\n")
        status, calls = run(place, "make", "clean")
        assert (status, len(calls)) == (0, 3)
        assert not data.exists()
        assert not (place / "var").exists()

    def test_keeps_clean_from_deleting_under_a_server_that_does_not_stop(
        self, place: Path
    ) -> None:
        add_program(place, "bin/python3", status=3)
        status, _ = run(place, "make", "clean")
        assert status == 2
        assert (place / "var" / "test").exists()


class TestTest:
    HALVES = (
        "apps tests shop/tests/routing tasks/tests/test_search.py"
        " --ignore apps/accounts --ignore apps/cart --ignore apps/orders --ignore tests/deploy",
        "tasks shop apps/accounts apps/cart apps/orders tests/deploy"
        " --ignore shop/tests/routing --ignore tasks/tests/test_search.py",
    )

    LONG = "rabbitmq or search or pipeline or slow"

    def halves(self, marks: str) -> list[str]:
        return [f"python -m pytest -m {marks} {half}" for half in self.HALVES]

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """A copy whose .venv is up to date and holds a python that only writes down."""
        shutil.copy(ROOT / "Makefile", tmp_path)
        made = ["requirements/uv.txt", "deploy/make_venv.sh", "requirements/test.txt"]
        made += ["requirements/psycopg3.txt", ".venv/bin/uv", ".venv/test"]
        for name in (*made, ".venv-psycopg3/installed"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        for name in ("python", "ruff", "mypy", "lint-imports"):
            add_program(tmp_path, f".venv/bin/{name}")
        add_program(tmp_path, ".venv-psycopg3/bin/python")
        return tmp_path

    def test_checks_first_and_runs_no_test_twice(self, place: Path) -> None:
        status, calls = run(place, "make", "check", "test")
        assert (status, calls[:3]) == (0, ["ruff format --check .", "ruff check .", "mypy ."])
        assert sorted(calls[4:6]) == self.halves(f"not ({self.LONG})")
        assert sorted(calls[6:8]) == self.halves(self.LONG)
        assert sorted(calls) == sorted(run(place, "make", "test")[1][len(calls) :])

    def test_then_runs_some_with_psycopg_3_and_the_faults(self, place: Path) -> None:
        _, calls = run(place, "make", "test")
        with_psycopg3, *rest = calls[8:]
        assert with_psycopg3.startswith(
            "python -m pytest -m not slow shop/tests/test_outbox.py "
        )
        assert rest == ["python -m chaos --orders 20"]

    def test_fails_with_the_tests_and_has_run_both_halves(self, place: Path) -> None:
        add_program(place, ".venv/bin/python", status=1)
        status, calls = run(place, "make", "test")
        assert (status, sorted(calls[4:])) == (2, self.halves(f"not ({self.LONG})"))

    def test_fails_with_the_long_tests_and_goes_no_further(self, place: Path) -> None:
        python = place / ".venv/bin/python"
        fails = f'case "$*" in *"-m {self.LONG}"*) exit 1; esac'
        python.write_text(python.read_text().replace("exit 0", fails))
        status, calls = run(place, "make", "test")
        assert (status, sorted(calls[6:])) == (2, self.halves(self.LONG))

    def test_runs_what_is_asked_for_alone(self, place: Path) -> None:
        command = ["make", "test", "T=shop/tests"]
        assert run(place, *command) == (0, ["python -m pytest shop/tests"])

    def test_runs_both_halves_of_the_quick_ones(self, place: Path) -> None:
        status, calls = run(place, "make", "test-quick")
        assert (status, sorted(calls)) == (0, self.halves(f"not ({self.LONG})"))
