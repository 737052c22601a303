"""The shop on this machine for as long as a script of ours runs: `make demo`, `make replay`."""

import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from deploy.embedded import Servers

PIPELINE = ("relay", "worker-order", "worker-email", "worker-search", "beat")


class Busy(Exception):
    """Another script is using this directory."""


@contextmanager
def local_servers(directory: Path, *, rabbitmq: bool = False) -> Iterator[Servers]:
    """The embedded servers of `directory`, up, and ours alone; raises Busy.

    Afterwards they are stopped again, if they were down before; if not, a line says so.
    SIGTERM and SIGHUP become KeyboardInterrupt from here on, so that every `with` block is
    left in order.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup wants us to stay
            signal.signal(number, signal.default_int_handler)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "in-use").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another demo or replay is running in {directory}") from None
        servers = Servers(directory)
        were_up = ", ".join(one.name for one in servers.status() if one.state == "up")
        try:
            servers.up(rabbitmq=rabbitmq)
            yield servers
        finally:
            if were_up:
                sys.stdout.write(f"The servers stay up: {were_up} ran before.\n")
            else:
                servers.down()


def shop_environment(servers: Servers) -> dict[str, str]:
    """What the shop's processes need to find these servers, and what we have ourselves."""
    return {
        "LOG_FORMAT": "lines",
        **os.environ,
        **servers.environment(),
        "DJANGO_SETTINGS_MODULE": "shop.settings.dev",
        "EMAIL_FILE_PATH": str(servers.home.directory / "mail"),
    }


def set_up_django(environment: Mapping[str, str]) -> None:
    """Make Django usable in this process, with the settings that `environment` makes."""
    os.environ.update(environment)
    django.setup()


def migrate() -> int:
    """Bring the database up to date; returns how many migrations that took, often none."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:  # without one, `migrate` would still spend a second on permissions
        call_command("migrate", interactive=False, verbosity=0)
    return len(plan)
