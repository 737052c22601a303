"""manage.py declare_queues: make the broker's exchanges and queues, at deployment."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from kombu.exceptions import OperationalError

from shop.celery import app
from tasks.queues import QueuesDiffer, declare_queues


class Command(BaseCommand):
    help = "Declares every exchange and queue. Idempotent; run before web, relay and workers."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with app.connection_for_write() as connection:
                names = declare_queues(connection)
        except QueuesDiffer as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(f"The broker cannot be reached: {error}") from error
        for name in names:
            self.stdout.write(f"queue {name}")
