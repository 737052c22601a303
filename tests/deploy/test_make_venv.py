"""Which interpreters deploy/make_venv.sh takes, and how it refuses: with invented ones."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) echo {version} ;;
*"import ensurepip"*) exit {lacks_ensurepip} ;;
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the script, and with programs/, which is all of PATH."""
    (tmp_path / "programs").mkdir()
    for name in ("sh", "mkdir", "cp", "rm", "touch"):
        (tmp_path / "programs" / name).symlink_to(shutil.which(name) or "")
    return tmp_path


def add_program(place: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    (place / "programs" / name).write_text(text)
    (place / "programs" / name).chmod(0o755)


def add_python(place: Path, version: str, *, lacks_ensurepip: bool = False) -> None:
    text = PYTHON.format(version=version, lacks_ensurepip=int(lacks_ensurepip))
    add_program(place, f"python{version}", text)


def make(place: Path) -> tuple[bool, str]:
    """Whether a .venv with uv was made, and what was said."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    ended = subprocess.run(  # noqa: S603 ours
        [place / "programs" / "sh", ROOT / "deploy" / "make_venv.sh"],
        cwd=place,
        env=environment | {"PATH": str(place / "programs")},
        capture_output=True,
        text=True,
        check=False,
    )
    made = (place / ".venv" / "bin" / "uv").exists()
    assert made == (ended.returncode == 0)
    return made, ended.stderr


@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_takes_a_python_for_which_there_is_a_redis(place: Path, version: str) -> None:
    add_python(place, version)
    assert make(place) == (True, "")


@pytest.mark.parametrize("server", ["redis-server", "valkey-server"])
def test_takes_3_13_beside_a_redis_of_the_machine(place: Path, server: str) -> None:
    add_python(place, "3.13")
    add_program(place, server)
    assert make(place) == (True, "")


def test_refuses_3_13_without_a_redis(place: Path) -> None:
    add_python(place, "3.13")
    reason = "Python 3.13 needs redis-server or valkey-server on PATH; 3.11 and 3.12 do not.\n"
    assert make(place) == (False, reason)


def test_names_the_package_that_the_machines_python_lacks(place: Path) -> None:
    add_python(place, "3.11", lacks_ensurepip=True)
    reason = "python3.11 cannot make a .venv: install the package python3.11-venv.\n"
    assert make(place) == (False, reason)


def test_passes_over_one_that_will_not_do_for_one_that_will(place: Path) -> None:
    add_python(place, "3.12", lacks_ensurepip=True)
    add_python(place, "3.13")
    add_python(place, "3.11")
    assert make(place) == (True, "")


def test_says_where_it_looked_when_there_is_none(place: Path) -> None:
    add_program(place, "python3", PYTHON.format(version="3.10", lacks_ensurepip=0))
    reason = (
        "Python 3.11, 3.12 or 3.13 is needed; "
        "looked for python3.12 python3.11 python3.13 python3.\n"
    )
    assert make(place) == (False, reason)
