"""deploy/postgres/volume.sh: what starts on the primary's volume, and an upgrade's way back."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "volume.sh"
OLD = {"pgdata/PG_VERSION": "15\n", "pgdata/rows": "all", "archive/0001": "of the old one"}
HALF = {"pgdata/PG_VERSION": "17\n", "archive/0001": "of the new one", "making": ""}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """With data of PostgreSQL 15; the one that runs is a program that only says it is 17."""
    program = tmp_path / "bin" / "postgres"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.12 (Debian 17.12-0)'\n")
    program.chmod(0o755)
    place = tmp_path / "volume"
    place.mkdir()
    write(place, OLD)
    return place


def write(place: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)


def files(place: Path) -> dict[str, str]:
    """What is there, by its path."""
    found = (one for one in place.rglob("*") if one.is_file())
    return {str(one.relative_to(place)): one.read_text() for one in found}


def run(volume: Path, *words: str) -> str | None:
    """What it refuses with; None if it ends well."""
    path = f"{volume.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(  # noqa: S603 ours
        [SCRIPT, *words],
        env={"PATH": path, "PGDATA": str(volume / "pgdata")},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stderr if ended.returncode else None


def test_data_of_another_version_are_refused_in_one_line_with_the_way_out(volume: Path) -> None:
    said = run(volume, "check")
    assert said
    assert "make upgrade-postgres FROM=15 TO=17, or POSTGRES_VERSION=15" in said
    assert said.count("\n") == 1
    assert files(volume) == OLD


def test_data_without_their_version_are_refused(volume: Path) -> None:
    (volume / "pgdata" / "PG_VERSION").write_text("")
    before = files(volume)
    assert "has no PG_VERSION" in (run(volume, "check") or "")
    assert files(volume) == before


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"pgdata/PG_VERSION": "17\n"}, id="this version"),
        pytest.param({"pgdata/PG_VERSION": "15\n", "making": ""}, id="half made"),
    ],
)
def test_what_is_empty_or_ours_or_was_never_served_may_be_started_on(
    volume: Path, found: dict[str, str]
) -> None:
    for name in OLD:
        (volume / name).unlink()
    write(volume, found)
    assert run(volume, "check") is None


def test_an_upgrade_that_is_complete_keeps_the_old_data(volume: Path) -> None:
    assert run(volume, "put_aside", "15") is None
    write(volume, {"pgdata/PG_VERSION": "17\n"})
    assert run(volume, "keep") is None
    old = {f"postgresql-15/{name}": text for name, text in OLD.items()}
    assert files(volume) == {"pgdata/PG_VERSION": "17\n", **old}
    assert run(volume, "check") is None


@pytest.mark.parametrize("moved", [(), ("pgdata",), ("archive",), ("pgdata", "archive")])
def test_an_upgrade_that_is_cut_off_anywhere_is_refused_and_can_be_put_back(
    volume: Path, moved: tuple[str, ...]
) -> None:
    (volume / "upgrading-15").mkdir()
    for part in moved:
        (volume / part).rename(volume / "upgrading-15" / part)
    write(volume, {name: text for name, text in HALF.items() if name.startswith(moved)})
    said = run(volume, "check")
    assert said
    assert "cut off" in said
    assert "FROM=15 TO=17" in said
    assert run(volume, "holds", "15") is None
    assert run(volume, "put_back") is None
    assert files(volume) == OLD


def test_what_is_half_made_is_never_taken_for_the_old_data_that_were_put_back(
    volume: Path,
) -> None:
    assert run(volume, "put_aside", "15") is None
    write(volume, HALF)
    assert run(volume, "put_back") is None
    # With the file `making` there, primary.sh would delete them.
    assert files(volume) == OLD


def test_putting_back_without_an_upgrade_changes_nothing(volume: Path) -> None:
    assert run(volume, "put_back") is None
    assert files(volume) == OLD


@pytest.mark.parametrize(("version", "kept"), [("16", {}), ("15", {"postgresql-15/x": ""})])
def test_what_is_not_there_or_was_kept_before_is_not_put_aside(
    volume: Path, version: str, kept: dict[str, str]
) -> None:
    write(volume, kept)
    assert "not touched" in (run(volume, "holds", version) or "")
    assert run(volume, "put_aside", version)
    assert files(volume) == {**OLD, **kept}
