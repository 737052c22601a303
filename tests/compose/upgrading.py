"""A volume of an older PostgreSQL: refused, taken along, and put back if that fails."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

from tests.compose.engine import Failed
from tests.compose.lasting import rows, same
from tests.compose.project import Project, last_line
from tests.compose.quick_start import commands, first_order, wait_for

Say = Callable[[str], None]
_OLD, _NEW = "15", "17"
_COMMAND = ["upgrade-postgres", f"FROM={_OLD}", f"TO={_NEW}"]
# It shows what PostgreSQL 17 no longer has.
_OBSTACLE = "VIEW obstacle AS SELECT buffers_backend FROM pg_stat_bgwriter"


def upgrade(project: Project, say: Say) -> None:
    """With WAL archiving on: the names of the segments begin again with a new version."""
    before = _old_shop(project)
    _superuser(project, f"CREATE {_OBSTACLE}")
    project.make("down")
    say(_refused(project, holds=f"make {' '.join(_COMMAND)}"))
    say(last_line(project.make(*_COMMAND, fails=True), holds="are back in their place"))
    _refused(project, holds=f"it is PostgreSQL {_OLD}'s")
    project.compose(*_PRIMARY, POSTGRES_VERSION=_OLD)
    same(before, rows(project))
    _superuser(project, "DROP VIEW obstacle")
    _kill_an_upgrade(project)
    say(_refused(project, holds="an upgrade was cut off"))
    started = time.monotonic()
    project.make(*_COMMAND)
    say(f"upgraded in {time.monotonic() - started:.0f} s, and the shop sells again")
    same(before, rows(project))
    _is_new(project)
    first_order(project)
    say(f"all {sum(before.values())} rows are there, and an order more")


def _old_shop(project: Project) -> dict[str, int]:
    """Sell by the old version; the rows that there are then."""
    project.compose("down", "--volumes")
    project.engine.provide([f"postgres:{_OLD}"])
    project.set("WAL_ARCHIVING", "on")
    project.make("up", POSTGRES_VERSION=_OLD)
    commands(project)
    first_order(project)
    _archives(project)
    return rows(project)


def _is_new(project: Project) -> None:
    version = project.sql("SHOW server_version")
    kept = {one.name for one in (project.volume("db-primary") / f"postgresql-{_OLD}").iterdir()}
    if not version.startswith(_NEW) or kept != {"pgdata", "archive"}:
        raise Failed(f"PostgreSQL {version}; kept of the old one: {kept}")
    _archives(project)


_PRIMARY = ["up", "--detach", "--wait", "--no-deps", "db-primary"]


def _superuser(project: Project, statement: str) -> str:
    who = ["psql", "-U", "postgres", "-d", "ecommerce", "-XAtc"]
    return project.exec("db-primary", *who, statement).strip()


def _archives(project: Project) -> None:
    """A segment, and nothing is in the way of it."""
    _superuser(project, "SELECT pg_switch_wal()")
    archived = "SELECT archived_count > 0 AND failed_count = 0 FROM pg_stat_archiver"
    wait_for(lambda: _superuser(project, archived) == "t", what="WAL archived", seconds=30)


def _refused(project: Project, *, holds: str) -> str:
    """What `make up` says at its end; nothing runs on the volume that should not."""
    said = project.make("up", fails=True)
    if "backend" in project.running():
        raise Failed("the shop was started")
    return last_line(said, holds=holds)


def _kill_an_upgrade(project: Project) -> None:
    """As if the machine had failed, when the new version has begun to make its data."""
    making = subprocess.Popen(  # noqa: S603 ours
        ["make", *_COMMAND],  # noqa: S607 the machine's
        cwd=project.directory,
        env={**os.environ, **project.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    half = project.volume("db-primary")
    try:
        wait_for(lambda: (half / "making").exists(), what="an upgrade half done", seconds=180)
    finally:
        os.killpg(making.pid, signal.SIGKILL)
        making.wait()
    if not (half / f"upgrading-{_OLD}" / "pgdata").exists():
        raise Failed(f"on the volume: {sorted(half.iterdir())}")
