"""What is there again after a restart and a restore; and three workers for one."""

import time
from collections.abc import Callable

from tests.compose.engine import Failed
from tests.compose.project import Project
from tests.compose.quick_start import first_order, get, pending, wait_for
from tests.compose.shoppers import Shoppers

Say = Callable[[str], None]
_COUNTED = (
    *("orders_order", "orders_orderitem", "orders_orderstatuschange", "catalog_stockmovement"),
    *("catalog_variant", "accounts_user", "accounts_address", "outbox_outboxmessage"),
    "mail_outgoingemail",
)


def rows(project: Project) -> dict[str, int]:
    """How many rows the tables have that nobody but people and orders write to."""
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in _COUNTED)  # noqa: S608 ours
    numbers = project.sql(f"SELECT {counts}").split("|")
    return dict(zip(_COUNTED, map(int, numbers), strict=True))


def scale(project: Project, say: Say) -> None:
    """Three order workers, all of which Flower sees; orders meanwhile."""
    with Shoppers() as shoppers:
        project.make("up", "SCALE=3")
        time.sleep(10)
    names = {one["Config"]["Hostname"] for one in project.states("worker-order")}
    login = ("admin", project.setting("FLOWER_PASSWORD"))
    known = get("/flower/api/workers", params={"refresh": "1"}, auth=login).json()
    seen = {name for name in names if f"worker-order@{name}" in known}
    if len(seen) != 3:
        raise Failed(f"Flower sees {sorted(known)}, the containers are {sorted(names)}")
    project.make("up")
    wait_for(lambda: not pending(project), what="no order pending")
    say(f"three order workers, and back to one; {len(shoppers.numbers)} orders meanwhile")


def restart(project: Project, say: Say) -> None:
    """Down and up again: all rows are there."""
    before = rows(project)
    project.make("down")
    started = time.monotonic()
    project.make("up")
    same(before, rows(project))
    seconds = time.monotonic() - started
    say(f"down, and up again in {seconds:.0f} s: all {sum(before.values())} rows are there")
    first_order(project)


def standby(project: Project, say: Say) -> None:
    """It copies itself anew when the primary gave up its slot, and only then."""
    data = ["pg_controldata", "/var/lib/postgresql/data/pgdata"]
    project.compose("restart", "db-replica")
    project.wait_until_well("db-replica")
    if "Copying" in project.compose("logs", "--since", "2m", "db-replica"):
        raise Failed("it copied itself although it had all")
    project.compose("stop", "db-replica")
    drop = "SELECT pg_drop_replication_slot('db_replica')"
    project.exec("db-primary", "psql", "-XU", "postgres", "-c", drop)
    started = time.monotonic()
    project.compose("start", "db-replica")
    project.wait_until_well("db-replica")
    said = project.compose("logs", "--no-log-prefix", "--since", "2m", "db-replica")
    if "The primary no longer keeps what it lacks" not in said:
        raise Failed(said)
    if project.exec("db-replica", *data).count("in archive recovery") != 1:
        raise Failed("it is no standby")
    say(f"a standby whose slot is gone is well again in {time.monotonic() - started:.0f} s")


def restore(project: Project, say: Say) -> None:
    """A backup, onto a machine that has nothing else."""
    before = rows(project)
    started = time.monotonic()
    file = project.make("backup").strip()
    seconds = time.monotonic() - started
    damaged = project.directory / "backups" / "damaged.dump"
    damaged.write_bytes((project.directory / file).read_bytes()[:-1000])
    project.make("restore", "FILE=backups/damaged.dump", fails=True)
    same(before, rows(project))
    project.make("down")
    project.compose("down", "--volumes")
    project.make("up")
    started = time.monotonic()
    project.make("restore", f"FILE={file}")
    same(before, rows(project))
    say(
        f"backup in {seconds:.0f} s; volumes deleted; restored in"
        f" {time.monotonic() - started:.0f} s: all {sum(before.values())} rows are there"
    )
    project.manage("audit", "--grace", "0")
    number = first_order(project)
    say(f"{number} is bought in what was restored")


def between(project: Project, attempt: Callable[[Project, Say], None], say: Say) -> None:
    """Try it with everything down; all is there afterwards."""
    before = rows(project)
    project.make("down")
    attempt(project, say)
    project.make("up")
    same(before, rows(project))


def same(before: dict[str, int], after: dict[str, int]) -> None:
    if before != after:
        raise Failed(f"before: {before}\nafter: {after}")
