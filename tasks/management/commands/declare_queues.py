"""manage.py declare_queues: make the broker's exchanges and queues, at deployment."""

from http.client import HTTPException
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from kombu import Connection
from kombu.exceptions import OperationalError

from shop.celery import app
from tasks.bindings import stray_bindings
from tasks.queues import MayNotDeclare, QueuesDiffer, declare_queues


class Command(BaseCommand):
    help = "Declares every exchange and queue. Idempotent; run before web, relay and workers."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with app.connection_for_write() as connection:
                lines = declare_queues(connection)
                self.stdout.write("\n".join([_broker(connection), *lines]))
                if connection.transport.driver_type == "amqp":
                    self._tell_of_strays(connection.virtual_host)
        except QueuesDiffer as error:
            raise CommandError(str(error)) from error
        except MayNotDeclare as error:
            raise CommandError(f"This user of the broker may not declare: {error}") from error
        except OperationalError as error:
            raise CommandError(f"The broker cannot be used: {error}") from error

    def _tell_of_strays(self, virtual_host: str) -> None:
        """Only a warning: messages also go where they used to, and nothing is lost by it."""
        if not settings.RABBITMQ_MANAGEMENT_URL:
            return
        try:
            strays = stray_bindings(settings.RABBITMQ_MANAGEMENT_URL, virtual_host=virtual_host)
        except (OSError, HTTPException) as error:
            self.stderr.write(f"RabbitMQ's management does not list the bindings: {error}")
            return
        for stray in strays:
            self.stderr.write(
                f"binding {stray}: not declared. Unbind it on the management pages, unless"
                " somebody else needs it."
            )


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
