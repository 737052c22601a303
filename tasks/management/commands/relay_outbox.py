"""manage.py relay_outbox: publish what the outbox holds, and tell the standbys' readers the
time, until stopped."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.celery import app
from shop.routing.heartbeat import Heartbeat
from tasks.queues import QueuesDiffer
from tasks.relay import Relay


class Command(BaseCommand):
    help = "Publishes outbox messages to the broker until it is stopped. Several may run."
    requires_system_checks = []  # done at deployment; here they would import all of the web

    def handle(self, *args: Any, **options: Any) -> None:
        app.loader.import_default_modules()
        relay = Relay(app)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: relay.stop())
        heartbeat = Heartbeat()
        heartbeat.start()
        try:
            relay.run()
        except QueuesDiffer as error:
            raise CommandError(str(error)) from error
        finally:
            heartbeat.stop()
