"""deploy/postgres/primary.sh: when a volume is begun from nothing, and when never."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "primary.sh"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the data are to be; what the image would start is a program that does nothing."""
    entrypoint = tmp_path / "bin" / "docker-entrypoint.sh"
    entrypoint.parent.mkdir()
    entrypoint.write_text("#!/bin/sh\n")
    entrypoint.chmod(0o755)
    (tmp_path / "volume").mkdir()
    return tmp_path / "volume" / "pgdata"


def start(data: Path) -> None:
    path = f"{data.parents[1] / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "PGDATA": str(data)}
    subprocess.run([SCRIPT], env=environment, check=True, capture_output=True)  # noqa: S603 ours


def test_an_empty_volume_is_being_made_until_its_last_script_says_otherwise(data: Path) -> None:
    start(data)
    assert (data.parent / "making").exists()


def test_a_first_start_that_was_cut_off_begins_again_from_nothing(data: Path) -> None:
    start(data)
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    start(data)
    assert not data.exists()
    assert (data.parent / "making").exists()


@pytest.mark.parametrize("version", ["17\n", "", None])
def test_data_that_are_there_are_never_deleted(data: Path, version: str | None) -> None:
    data.mkdir()
    (data / "rows").write_text("all")
    if version is not None:
        (data / "PG_VERSION").write_text(version)
    for _ in range(2):
        start(data)
    assert (data / "rows").read_text() == "all"
    assert not (data.parent / "making").exists()
