"""The worker's consumer: what no task can be made of is refused, and so becomes a dead letter.

Celery's own acknowledges what it cannot decode, which is then lost, and some other malformed
messages end the worker, which then meets them again. On `shop.maintenance`, which keeps
nothing, such a message ends with one line in the log.
"""

import logging
from typing import Any

from celery.worker.consumer import Consumer
from django.utils import timezone

from tasks.dead_queues import GAVE_UP_HEADER, broker_buries, bury
from tasks.messages import Unreadable, read

log = logging.getLogger(__name__)


class ShopConsumer(Consumer):
    def connection_for_write(self, *args: Any, **kwargs: Any) -> Any:
        """Celery's, for its events: without confirms, which a broker under an alarm withholds.

        The worker itself would wait for them, although work could be done, and a lost event
        is no loss.
        """
        connection = self.app.connection_for_write(*args, **kwargs)
        options = connection.transport_options or {}
        connection.transport_options = {**options, "confirm_publish": False}
        return self.ensure_connected(connection)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Any:
        handle = super().create_task_handler(*args, **kwargs)

        def handle_or_refuse(message: Any) -> None:
            try:
                read(message)
                handle(message)
            except Unreadable as error:
                self._refuse(message, str(error))
            # A header of another kind than Celery counts on.
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                self._refuse(message, f"{type(error).__name__}: {error}")

        return handle_or_refuse

    def on_unknown_task(self, _body: Any, message: Any, _exc: Exception) -> None:
        self._refuse(message, f"unknown task {message.headers['task']!r}")

    def on_invalid_task(self, _body: Any, message: Any, exc: Exception) -> None:
        self._refuse(message, f"{type(exc).__name__}: {exc}")

    def _refuse(self, message: Any, reason: str) -> None:
        log.error("a message was refused: %s", reason)
        if not broker_buries(self.app):
            word = {"reason": reason, "at": timezone.now().isoformat()}
            bury(
                self.app,
                message.body,
                queue=message.delivery_info["routing_key"],
                headers={**(message.headers or {}), GAVE_UP_HEADER: word},
                content_type=message.content_type,
                content_encoding=message.content_encoding,
            )
        errors = self.connection_errors  # type: ignore[attr-defined]  # made by Celery at start
        message.reject_log_error(log, errors)
