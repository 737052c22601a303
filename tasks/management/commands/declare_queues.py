"""manage.py declare_queues: make the broker's exchanges and queues, at deployment."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from kombu import Connection
from kombu.exceptions import OperationalError

from shop.celery import app
from tasks.queues import MayNotDeclare, QueuesDiffer, declare_queues


class Command(BaseCommand):
    help = "Declares every exchange and queue. Idempotent; run before web, relay and workers."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with app.connection_for_write() as connection:
                made = declare_queues(connection)
                self.stdout.write(_broker(connection))
        except QueuesDiffer as error:
            raise CommandError(str(error)) from error
        except MayNotDeclare as error:
            raise CommandError(f"This user of the broker may not declare: {error}") from error
        except OperationalError as error:
            raise CommandError(f"The broker cannot be used: {error}") from error
        for line in made:
            self.stdout.write(line)


def _broker(connection: Connection) -> str:
    """Which server it is and where in it we are."""
    if connection.transport.driver_type == "amqp":
        server = connection.connection.server_properties
        return (
            f"{server['product']} {server['version']}, virtual host {connection.virtual_host}"
        )
    redis: Any = connection.default_channel
    version = redis.client.info("server")["redis_version"]
    return (
        f"Redis {version}, database {connection.virtual_host}: queues are lists there, and"
        " their arguments, the delivery limit for one, mean nothing"
    )
