"""The shop opens: servers, database, catalogue, processes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from django.core.management import call_command
from rich.console import Console

from deploy.demo.passwords import demo_passwords, flower_login
from deploy.embedded import Servers
from deploy.embedded.home import is_free
from deploy.embedded.process import wait_until
from deploy.local import (
    PIPELINE,
    local_servers,
    migrate,
    set_up_django,
    shop_environment,
)
from deploy.processes import Processes
from shop.celery import app

SERVING = ("web", *PIPELINE)
_PATIENCE = 30  # seconds for what usually takes two


class Stuck(Exception):
    """Something did not come in time; `log` may say why."""

    def __init__(self, what: str, *, log: Path) -> None:
        super().__init__(what)
        self.log = log


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An open shop: where it listens, what runs, and the passwords."""

    directory: Path
    address: str
    flower: str
    processes: Processes
    passwords: dict[str, str]

    def wait_for(self, what: str, condition: Callable[[], bool], *, blame: str) -> None:
        """Return when the condition holds; raises Stuck with the log of whom to blame."""
        is_over = wait_until(lambda: bool(self._ended()) or condition(), seconds=_PATIENCE)
        if ended := self._ended():
            raise Stuck(f"{ended[0]} ended", log=self.processes.log(ended[0]))
        if not is_over:
            raise Stuck(f"not {what} after {_PATIENCE} s", log=self.processes.log(blame))

    def _ended(self) -> list[str]:
        alive = self.processes.alive()
        return [name for name in SERVING if name not in alive]


@contextmanager
def open_shop(console: Console, directory: Path) -> Iterator[Shop]:
    """The shop of `directory`, ready for its first customer; closed again afterwards."""
    started = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"{time.monotonic() - started:6.1f} s  {what}")

    with local_servers(directory) as servers:
        tell(_versions(servers))
        passwords = demo_passwords(directory)
        environment = _environment(servers, passwords)
        set_up_django(environment | passwords)
        applied = migrate()
        tell(f"{applied} migrations applied" if applied else "database up to date")
        with Processes(environment=environment, directory=directory) as processes:
            processes.start(SERVING)
            shop = Shop(
                directory=directory,
                address=f"http://127.0.0.1:{environment['PORT']}",
                flower=environment["FLOWER_URL"],
                processes=processes,
                passwords=passwords,
            )
            call_command("seed_demo", verbosity=0)
            tell("catalogue filled")
            shop.wait_for("answering", lambda: _answers(shop), blame="web")
            shop.wait_for("working", _workers_are_ready, blame="worker-order")
            tell("web, relay, beat and three workers ready")
            try:
                yield shop
            finally:
                console.print("closing …")


def _environment(servers: Servers, passwords: dict[str, str]) -> dict[str, str]:
    port, flower_port = _free_port(8000), _free_port(5555)
    return {
        **shop_environment(servers),
        # As in production, errors included, but for TLS.
        "DEBUG": "false",
        "COOKIE_SECURE": "false",
        "SECRET_KEY": passwords["SECRET_KEY"],
        "PORT": str(port),
        "FLOWER_PORT": str(flower_port),
        "FLOWER_URL": f"http://127.0.0.1:{flower_port}/flower/",
        "FLOWER_BASIC_AUTH": flower_login(passwords),
        "FLOWER_DB": str(servers.home.directory / "flower" / "state"),
    }


def _free_port(wanted: int) -> int:
    return next(port for port in range(wanted, wanted + 200) if is_free(port))


def _versions(servers: Servers) -> str:
    up = {one.name: one.version for one in servers.status() if one.state == "up"}
    return f"PostgreSQL {up['primary']} with a standby, Redis {up['redis']}"


def _answers(shop: Shop) -> bool:
    try:
        return requests.get(f"{shop.address}/health/live", timeout=5).ok
    except requests.ConnectionError:
        return False


def _workers_are_ready() -> bool:
    return len(app.control.ping(timeout=0.5, limit=3) or []) == 3
