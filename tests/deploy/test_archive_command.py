"""The archive_command of deploy/postgres/postgresql.conf, run as PostgreSQL runs it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "deploy" / "postgres" / "postgresql.conf").read_text()
NAME = "000000010000000000000001"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    (tmp_path / "pgdata" / "pg_wal").mkdir(parents=True)
    (tmp_path / "pgdata" / "pg_wal" / NAME).write_text("ours")
    return tmp_path


def archive(volume: Path) -> bool:
    """Whether PostgreSQL would take the segment for archived."""
    (command,) = re.findall(r"^archive_command = '(.*)'$", SETTINGS, re.MULTILINE)
    command = command.replace("%p", f"pg_wal/{NAME}").replace("%f", NAME)
    ended = subprocess.run(  # noqa: S603 ours
        ["/bin/sh", "-c", command], cwd=volume / "pgdata", check=False, capture_output=True
    )
    return ended.returncode == 0


def test_a_segment_is_archived_whole(volume: Path) -> None:
    (volume / "archive" / f"{NAME}.part").write_text("what a crash left of it")
    assert archive(volume)
    assert {one.name: one.read_text() for one in (volume / "archive").iterdir()} == {
        NAME: "ours"
    }


def test_the_same_segment_again_is_well(volume: Path) -> None:
    assert archive(volume)
    assert archive(volume)


def test_another_segment_of_that_name_is_never_written_over(volume: Path) -> None:
    (volume / "archive" / NAME).write_text("another cluster's")
    assert not archive(volume)
    assert (volume / "archive" / NAME).read_text() == "another cluster's"


def test_without_room_nothing_counts_as_archived(volume: Path) -> None:
    (volume / "archive").rmdir()
    assert not archive(volume)
