"""The shop that the trials break: servers, database, processes, mail server. One at a time."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import requests
from django.core.management import call_command
from django.db import connection
from kombu.transport.native_delayed_delivery import MAX_NUMBER_OF_BITS_TO_USE, level_name

from chaos.faults import plan
from chaos.mailbox import MailBox
from chaos.supervisor import Supervisor
from deploy.embedded import Servers, ServerUnavailable
from deploy.embedded.process import wait_until
from deploy.local import PIPELINE, local_servers, migrate, set_up_django
from deploy.processes import Processes

PROCESSES = ("web", *PIPELINE)
_SERVERS = ("primary", "standby", "redis", "rabbitmq")
# Where RabbitMQ keeps Celery's retries until they are due, a queue for each power of two.
_DELAYED = [level_name(level) for level in range(MAX_NUMBER_OF_BITS_TO_USE)]
_KEPT = {"django_migrations", "django_content_type", "auth_permission"}


class World:
    """What a trial may touch."""

    def __init__(self, *, servers: Servers, mail: MailBox, environment: dict[str, str]) -> None:
        self.servers, self.mail = servers, mail
        self._environment = environment
        self.url = f"http://127.0.0.1:{environment['PORT']}"
        self.supervisor = Supervisor(self._processes())

    def reset(self) -> None:
        """An empty shop, empty queues, no faults. The processes go on.

        Raises ServerUnavailable when the shop does not come to rest.
        """
        plan.write({})
        self.mail.reset()
        connection.close()  # a trial may have ended the server behind it
        for name in _SERVERS:
            self.servers.start(name)
        self.servers.rabbitmq.ctl("set_disk_free_limit", self.servers.rabbitmq.DISK_FREE_LIMIT)
        # Whatever a trial left on its way ends before the tables are emptied.
        _wait("a shop at rest", self.is_idle, seconds=30)
        _empty_queues()
        _empty_tables()
        self.mail.taken.clear()  # what came while the shop came to rest
        plan.forget_notes()
        self.supervisor.restarts.clear()

    @contextmanager
    def replaced(
        self, *names: str, root: Path | None = None, environment: dict[str, str] | None = None
    ) -> Iterator[None]:
        """These run from another directory, or with another environment, meanwhile."""
        others = self._processes(root=root, environment=environment)
        with self.supervisor.without(*names), Supervisor(others) as supervisor:
            supervisor.start(names)
            _wait("the shop", lambda: self.answers() and workers_are_ready(), seconds=60)
            yield

    def _processes(
        self, *, root: Path | None = None, environment: dict[str, str] | None = None
    ) -> Processes:
        return Processes(
            environment={**self._environment, **(environment or {})},
            directory=self.servers.home.directory / ("replaced" if root or environment else ""),
            root=root,
        )

    def versions(self) -> str:
        """Which servers these trials run on."""
        up = (one for one in self.servers.status() if one.state == "up")
        return ", ".join(f"{one.name} {one.version}" for one in up if one.name != "standby")

    def empty_cache(self) -> None:
        from django.core.cache import cache

        cache.clear()

    def is_idle(self) -> bool:
        """Whether nothing works on the database but us, and no queue holds a message."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            if cursor.fetchone() is not None:
                return False
        return not any(depths().values())

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/live", timeout=2).ok
        except requests.RequestException:
            return False


@contextmanager
def open_world(directory: Path, *, seed: int) -> Iterator[World]:
    """The shop of `directory`, everything up; stopped afterwards."""
    with local_servers(directory, rabbitmq=True) as servers:
        mail = MailBox(seed=seed)
        # Its own: granian would share one with another suite's web, and so its requests.
        servers.home.claim_ports(["web"])
        environment = {
            **os.environ,
            **servers.environment(),
            "DJANGO_SETTINGS_MODULE": "chaos.settings",
            "DEBUG": "false",
            "COOKIE_SECURE": "false",
            "SECRET_KEY": "for-trials-only-and-long-enough-to-sign-with-it",
            "PORT": str(servers.home.port("web")),
            "EMAIL_FILE_PATH": "",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mail.port),
            "CHAOS_DIRECTORY": str(directory),
            "CHAOS_SEED": str(seed),
        }
        set_up_django(environment)
        migrate()
        call_command("declare_queues", stdout=StringIO())
        plan.write({})
        mail.start()
        world = World(servers=servers, mail=mail, environment=environment)
        with world.supervisor:
            world.supervisor.start(PROCESSES)
            _wait("the shop", lambda: world.answers() and workers_are_ready(), seconds=60)
            try:
                yield world
            finally:
                mail.stop()


def workers_are_ready(number: int = 3) -> bool:
    from shop.celery import app

    try:
        return len(app.control.ping(timeout=1, limit=number) or []) >= number
    except OSError:  # the broker has been away since this process last spoke to it
        return False


def depths() -> dict[str, int]:
    """How many messages wait in each queue, dead ones too; empty while the broker is away."""
    from shop.celery import app
    from shop.topology import ALL_QUEUES

    names = [queue.name for queue in ALL_QUEUES]
    with app.connection_for_write() as broker:
        return {
            name: broker.default_channel.queue_declare(name, passive=True).message_count  # type: ignore[attr-defined]
            for name in names
        }


def _empty_queues() -> None:
    from shop.celery import app

    with app.connection_for_write() as broker:
        for name in [*depths(), *_DELAYED]:
            broker.default_channel.queue_purge(name)  # type: ignore[attr-defined]


def _wait(what: str, condition: Callable[[], bool], *, seconds: float) -> None:
    if not wait_until(condition, seconds=seconds):
        raise ServerUnavailable(f"not within {seconds:.0f} s: {what}")


def _empty_tables() -> None:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - _KEPT
        names = ", ".join(connection.ops.quote_name(table) for table in sorted(tables))
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
