"""Each container is killed while somebody buys; then the books are looked at."""

import json
import os
import signal
import time
from collections.abc import Callable

from tests.compose.engine import Failed
from tests.compose.project import Project
from tests.compose.quick_start import mails_about, pending, wait_for
from tests.compose.shoppers import Shoppers

KILLED = (
    *("db-primary", "rabbitmq", "redis", "db-replica", "elasticsearch", "backend", "relay"),
    *("worker-order", "worker-email", "worker-search", "beat", "flower", "nginx"),
)
Say = Callable[[str], None]


def kill_each(project: Project, say: Say) -> list[str]:
    """Kill them in turn; the numbers of the orders that were taken meanwhile."""
    with Shoppers() as shoppers:
        for service in KILLED:
            before = len(shoppers.numbers)
            started = time.monotonic()
            kill(project, service)
            seconds = time.monotonic() - started
            say(
                f"{service} killed, well again after {seconds:.0f} s,"
                f" {len(shoppers.numbers) - before} orders meanwhile"
            )
    say(f"{len(shoppers.numbers)} orders, the slowest took {shoppers.longest:.0f} s")
    return shoppers.numbers


def kill(project: Project, service: str) -> None:
    """End its first process, as a crash would; return when the engine has mended it."""
    state = project.states(service)[0]["State"]
    os.kill(state["Pid"], signal.SIGKILL)
    project.wait_until_well(service, started_after=state["StartedAt"])


def settle(project: Project, numbers: list[str], say: Say) -> None:
    """Every order is confirmed and has one mail, or one that a person decides about."""
    wait_for(lambda: not pending(project), what="no order pending", seconds=180)
    unsent = "SELECT count(*) FROM mail_outgoingemail WHERE status IN ('queued', 'sending')"
    wait_for(lambda: project.sql(unsent) == "0", what="no mail waiting", seconds=240)
    audit = json.loads(project.manage("audit", "--grace", "0", "--json"))
    known = project.sql("SELECT number FROM orders_order").split()
    lost = set(numbers) - set(known)
    if lost:
        raise Failed(f"answered with 201 and not there: {lost}")
    # Of these alone: what Mailpit had before, it forgets when it is made anew.
    mails = [mails_about(number) for number in numbers]
    unknown = int(
        project.sql("SELECT count(*) FROM mail_outgoingemail WHERE status = 'unknown'")
    )
    if max(mails) > 1 or mails.count(0) > unknown:
        raise Failed(f"mails an order: {mails}, {unknown} unknown")
    say(
        f"audit clean: {len(audit['invariants'])} invariants, {len(known)} orders;"
        f" {len(numbers)} have {sum(mails)} mails, {unknown} that a person decides about"
    )
