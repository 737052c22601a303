"""PostgreSQL and its standby, killed while they make or copy their data for the first time."""

import os
import signal
import time
from collections.abc import Callable

from tests.compose.engine import Failed
from tests.compose.project import Project

Say = Callable[[str], None]
_RIGHTS = """
    SELECT count(*) || ' roles, ' || (SELECT count(*) FROM pg_default_acl) || ' defaults'
    FROM pg_roles WHERE rolname LIKE 'ecommerce%' OR rolname = 'replicator'
"""


def first_start(project: Project, say: Say) -> None:
    """What is half made is not taken for whole: the start after that begins again."""
    project.compose("down", "--volumes")
    project.compose("up", "--detach", "db-primary")
    primary = project.volume("db-primary")
    data = primary / "pgdata"
    _kill(project, "db-primary", when=lambda: (data / "PG_VERSION").exists())
    _kill(project, "db-primary", when=lambda: (data / "postmaster.pid").exists())
    project.wait_until_well("db-primary")
    again = project.compose("logs", "db-primary").count("from the beginning again")
    rights = project.sql(_RIGHTS)
    if (again, rights, (primary / "making").exists()) != (2, "4 roles, 2 defaults", False):
        raise Failed(f"begun again {again} times; {rights}; {sorted(primary.iterdir())}")
    say("a primary killed in initdb, and as its roles are made: made from the beginning")


def first_copy(project: Project, say: Say) -> None:
    """The same of the standby, also between two renames by which its data are exchanged."""
    project.compose("up", "--detach", "db-replica")
    replica = project.volume("db-replica")
    _kill(project, "db-replica", when=lambda: (replica / "pgdata.new" / "global").exists())
    project.wait_until_well("db-replica")
    _is_a_standby(project, copied=2)
    project.compose("stop", "db-replica")
    (replica / "pgdata").rename(replica / "pgdata.old")
    project.compose("start", "db-replica")
    project.wait_until_well("db-replica")
    _is_a_standby(project, copied=3)
    left = sorted(one.name for one in replica.iterdir())
    if left != ["pgdata"]:
        raise Failed(f"left on the volume: {left}")
    say("a standby killed while it copies, and between two copies: copied anew")


def _is_a_standby(project: Project, *, copied: int) -> None:
    times = project.compose("logs", "db-replica").count("Copying db-primary")
    role = ["psql", "-XAtU", "postgres", "-c", "SELECT pg_is_in_recovery()"]
    if times != copied or project.exec("db-replica", *role).strip() != "t":
        raise Failed(f"copied {times} times, not {copied}; or it is no standby")


def _kill(project: Project, service: str, *, when: Callable[[], bool]) -> None:
    """End it at once when that is so; return when it has been started again."""
    before = project.states(service)[0]["State"]
    _wait(lambda: bool(before["Pid"]) and when())
    os.kill(before["Pid"], signal.SIGKILL)
    _wait(lambda: project.states(service)[0]["State"]["StartedAt"] > before["StartedAt"])


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        if time.monotonic() > deadline:
            raise Failed("the moment to kill it never came")
        time.sleep(0.005)
