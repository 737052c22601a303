"""All embedded servers of one directory."""

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.embedded.home import Home, write_private
from deploy.embedded.postgres import Primary
from deploy.embedded.process import ServerUnavailable
from deploy.embedded.rabbitmq import RabbitMQ, RabbitMQ4, chosen
from deploy.embedded.redis import Redis
from deploy.embedded.search_engines import Elasticsearch, OpenSearch
from deploy.embedded.server import Server
from deploy.embedded.standby import Standby


class Status(NamedTuple):
    """How one server is."""

    name: str
    state: str  # "up" or "down"
    pid: int | None
    version: str
    address: str
    note: str


class Servers:
    """PostgreSQL primary and standby, Redis and, when asked for, RabbitMQ under `directory`.

    A second standby, standby2, and the search engines only `start` starts, and no URL that `up`
    returns names them.

    They outlive the process that started them. `took` holds the milliseconds each server
    needed in the last `up` or `down`.
    """

    def __init__(self, directory: Path) -> None:
        self.home = Home(directory)
        self.primary = Primary(self.home)
        self.standby = Standby(self.home, self.primary, name="standby")
        self.standby2 = Standby(self.home, self.primary, name="standby2")
        self.redis = Redis(self.home)
        self.rabbitmq = chosen(self.home)
        self.opensearch = OpenSearch(self.home)
        self.elasticsearch = Elasticsearch(self.home)
        self.took: dict[str, int] = {}

    def up(self, *, rabbitmq: bool = False) -> dict[str, str]:
        """Start what is down and return the environment of the application.

        The same is written to `<directory>/env`.
        """
        rows: list[Sequence[Server]] = [(self.primary, self.standby), (self.redis,)]
        if rabbitmq:
            rows.append((self.rabbitmq,))
        with self._alone():
            self._in_parallel(rows, lambda server: server.start())
            environment = self._environment(rabbitmq=rabbitmq)
            self._write(environment)
        return environment

    def down(self) -> None:
        """Stop everything in order; the data stay."""
        # The primary first: it ends when the standbys have received all it wrote.
        rows: list[Sequence[Server]] = [
            (self.primary, self.standby, self.standby2),
            (self.redis,),
            (RabbitMQ(self.home),),
            (RabbitMQ4(self.home),),
            (self.opensearch,),
            (self.elasticsearch,),
        ]
        with self._alone():
            self._in_parallel(rows, lambda server: server.stop())

    def start(self, name: str) -> None:
        """Start one server: primary, standby, standby2, redis, rabbitmq (the one chosen),
        opensearch or elasticsearch."""
        with self._alone():
            self._named(name).start()
            if self.env_file.exists():
                # It may have had to move to another port.
                broker = self.environment().get("CELERY_BROKER_URL", "")
                self._write(self._environment(rabbitmq=broker.startswith("amqp")))

    def stop(self, name: str) -> None:
        """Stop one server in order."""
        with self._alone():
            self._named(name).stop()

    def kill(self, name: str) -> None:
        """End one server by SIGKILL; return when it and its children are gone."""
        with self._alone():
            self._named(name).kill()

    def status(self) -> list[Status]:
        """Return how each server is."""
        return [self._status(server) for server in self._all()]

    @property
    def env_file(self) -> Path:
        """The file with the environment that `up` returned last."""
        return self.home.directory / "env"

    def environment(self) -> dict[str, str]:
        """Return the environment that `up` returned last."""
        if not self.env_file.exists():
            raise ServerUnavailable(f"no {self.env_file}: nothing was started here yet")
        lines = self.env_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def _all(self) -> list[Server]:
        """The servers of the set, and what runs beside it: a RabbitMQ that is not chosen."""
        others: list[Server] = [self.standby2, RabbitMQ(self.home), RabbitMQ4(self.home)]
        others += [self.opensearch, self.elasticsearch]
        running = [one for one in others if one.name != self.rabbitmq.name and one.pid()]
        return [self.primary, self.standby, self.redis, self.rabbitmq, *running]

    def _named(self, name: str) -> Server:
        return {
            "primary": self.primary,
            "standby": self.standby,
            "standby2": self.standby2,
            "redis": self.redis,
            "rabbitmq": self.rabbitmq,
            "opensearch": self.opensearch,
            "elasticsearch": self.elasticsearch,
        }[name]

    def _status(self, server: Server) -> Status:
        pid = server.pid()
        version = server.version() if pid else ""
        note = "does not answer" if pid and not version else self.home.note
        return Status(server.name, "up" if pid else "down", pid, version, server.address, note)

    def _environment(self, *, rabbitmq: bool) -> dict[str, str]:
        environment = {
            "DATABASE_URL": self.primary.url(),
            "DATABASE_REPLICA_URL": self.standby.url(),
            "REDIS_URL": self.redis.url(database=0),
            "CELERY_BROKER_URL": self.redis.url(database=1),
        }
        if rabbitmq:
            environment["CELERY_BROKER_URL"] = self.rabbitmq.url()
            environment["RABBITMQ_MANAGEMENT_URL"] = self.rabbitmq.management_url()
        return environment

    def _write(self, environment: dict[str, str]) -> None:
        lines = [f"{key}={value}\n" for key, value in environment.items()]
        write_private(self.env_file, "".join(lines))

    def _in_parallel(
        self, rows: Sequence[Sequence[Server]], do: Callable[[Server], None]
    ) -> None:
        """Do it to the servers of a row one after another, to the rows at the same time."""

        def do_row(row: Sequence[Server]) -> None:
            for server in row:
                started = time.monotonic()
                do(server)
                self.took[server.name] = round((time.monotonic() - started) * 1000)

        self.took = {}
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(do_row, row) for row in rows]:
                done.result()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out every other process that starts or stops servers of this directory."""
        self.home.directory.mkdir(parents=True, exist_ok=True)
        with (self.home.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.home.prepare()
            yield
