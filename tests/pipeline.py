"""The shop's real relay and worker processes for tests, on either broker, with a real mail
server in the test's own process."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection
from kombu import Connection

from deploy.local import PIPELINE
from deploy.processes import Processes
from shop.celery import app
from shop.topology import ALL_QUEUES, ORDER, SHOP, WORK_QUEUES
from tasks.queues import queue_of
from tests.mail_server import MailServer, mail_server
from tests.servers import run_directory

# Messages that RabbitMQ has not confirmed may be lost when their connection is closed at once.
CONFIRMED = {"confirm_publish": True}


class Pipeline:
    """What a test does to the running processes, and what it sees of them."""

    def __init__(self, *, processes: Processes, mail: MailServer, broker_url: str) -> None:
        self.processes, self.mail = processes, mail
        self.broker_url = broker_url
        self.broker = broker_url.partition(":")[0]

    def depth(self, queue: str) -> int:
        """How many messages wait in a queue, by consuming none of them."""
        with Connection(self.broker_url) as broker:
            channel: Any = broker.default_channel
            try:
                return int(channel.queue_declare(queue, passive=True).message_count)
            except broker.channel_errors:  # Redis does not know of a queue that is empty
                return 0

    def is_idle(self) -> bool:
        """Whether no message waits and nobody else worked on the database for half a second."""
        for _ in range(5):
            if any(self.depth(queue.name) for queue in WORK_QUEUES) or _others_at_work():
                return False
            time.sleep(0.1)
        return True

    def purge(self) -> None:
        """Empty every queue and the mail server."""
        self.mail.taken.clear()
        self.mail.answer_to_recipient = self.mail.answer_to_data = "250 OK"
        with Connection(self.broker_url) as broker:
            for queue in ALL_QUEUES:
                bound = queue(broker.default_channel)
                bound.declare()
                bound.purge()

    def send(self, task: str, **arguments: object) -> None:
        """Put a message for `task` on its queue, which otherwise only relay and beat do."""
        message = app.amqp.create_task_message(str(uuid.uuid4()), task, (), arguments)
        with app.connection_for_write(self.broker_url, transport_options=CONFIRMED) as broker:
            broker.Producer().publish(
                message.body,
                exchange=SHOP.name,
                routing_key=queue_of(app, task),
                headers=message.headers,
                serializer="json",
                **message.properties,
            )

    def send_raw(self, body: bytes, *, key: str = ORDER, **options: Any) -> None:
        """Put any message on the shop's exchange."""
        with app.connection_for_write(self.broker_url, transport_options=CONFIRMED) as broker:
            options = {"content_type": "application/json", **options}
            broker.Producer().publish(body, exchange=SHOP, routing_key=key, **options)

    @contextmanager
    def worker_with_poison(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        """In place of worker-order: one that also knows the tasks of tests/poison.py."""
        self.processes.kill("worker-order")
        command = [sys.executable, "-m", "celery", "--app", "shop", "worker", "--include"]
        command += ["tests.poison", "--queues", ORDER, "--concurrency", "1"]
        environment = {**worker_environment(self.broker_url), **environment}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as worker:  # noqa: S603 ours
            try:
                yield worker
            finally:
                worker.terminate()
                self.processes.start(["worker-order"])

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Let one process stand still."""
        pid = self.processes.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def kill_children(self, name: str) -> int:
        """SIGKILL the pool processes of a worker, which itself lives on; returns how many."""
        pid = self.processes.pid(name)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), 9)
        return len(children)


def _others_at_work() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return cursor.fetchone() is not None


def workers_are_waiting() -> bool:
    """Whether somebody waits for a lock inside update_inventory."""
    with connection.cursor() as cursor:
        # Within one transaction the view would show the first look again and again.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%%catalog_stockmovement%%'"
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def running_pipeline(broker_url: str) -> Iterator[Pipeline]:
    """Relay and workers on the test database, started here and stopped afterwards."""
    with mail_server() as (mail, port):
        environment = {
            **worker_environment(broker_url),
            "EMAIL_FILE_PATH": "",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(port),
        }
        with Processes(environment=environment, directory=run_directory()) as processes:
            pipeline = Pipeline(processes=processes, mail=mail, broker_url=broker_url)
            pipeline.purge()
            processes.start(PIPELINE)
            yield pipeline


def end_leftovers() -> None:
    """End what a killed run left working on the test database: it would keep that from being
    dropped, and take the next run's messages, whichever broker that uses."""
    Processes(environment={}, directory=run_directory()).end_leftovers()


def worker_environment(broker_url: str | None = None) -> dict[str, str]:
    """This process's environment with the test database, and with another broker if given."""
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    return {
        **os.environ,
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
        "CELERY_BROKER_URL": broker_url or os.environ["CELERY_BROKER_URL"],
    }


def eventually(condition: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Return when `condition` holds; fail the test, naming `what`, if that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {seconds:.0f} s: {what}"
        time.sleep(0.02)
