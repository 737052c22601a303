"""deploy/up.sh: the last lines of `make up` say what is not as it should be."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "up.sh"
# Fails in the step that FAILING names; one container is there, whose state is CONTAINER.
COMPOSE = """#!/bin/sh
case "$*" in *"$FAILING"*) test -n "$FAILING" && exit 1 ;; esac
case "$1" in ps) echo container ;; esac
"""
DOCKER = """#!/bin/sh
case "$1" in inspect) echo "$CONTAINER" ;; logs) echo "its last line" ;; esac
"""
WELL = "0 0 false healthy web"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for name, text in {"compose": COMPOSE, "docker": DOCKER}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def up(programs: Path, state: str, *, fails: str = "") -> tuple[int, str]:
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "COMPOSE": "compose", "CONTAINER": state, "FAILING": fails}
    ended = subprocess.run(  # noqa: S603 ours
        ["/bin/sh", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (WELL, ""),
        ("0 0 false - migrate", ""),
        ("143 0 false - mailpit", ""),
        ("1 0 false - migrate", "migrate: its last line\n"),
        ("0 3 false starting beat", "beat: its last line\n"),
        ("0 0 false unhealthy web", "web: its last line\n"),
        ("137 0 true - search", "search was killed, as happens when memory runs out.\n"),
        (
            "128 0 false - nginx driver failed (x): port 80 is taken",
            "nginx does not start: port 80 is taken\n",
        ),
    ],
)
def test_says_of_each_container_that_is_not_well_why(
    programs: Path, state: str, said: str
) -> None:
    assert up(programs, state) == (0, said)


def test_fails_when_what_sells_does_not_start(programs: Path) -> None:
    assert up(programs, "1 0 false - migrate", fails="--wait") == (
        1,
        "migrate: its last line\n",
    )


def test_an_image_that_cannot_be_built_has_the_last_word(programs: Path) -> None:
    assert up(programs, "137 0 false - flower", fails="build") == (1, "")
