"""The row by which a standby's reader knows how late it is: the primary's time, each second."""

import logging
import threading

from django.db import DatabaseError, InterfaceError, connection

_EVERY = 1.0  # seconds

log = logging.getLogger(__name__)


class Heartbeat(threading.Thread):
    """Writes the row until stopped, through every absence of the database.

    A thread, because whoever runs it may be waiting for something else for longer than a
    standby may be late: the relay for its broker.
    """

    def __init__(self) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(_EVERY):
            try:
                tell_the_time()
            except (DatabaseError, InterfaceError) as error:
                log.warning("no heartbeat for the standbys: %s", type(error).__name__)
                connection.close()
        connection.close()

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def tell_the_time() -> None:
    """Write down the primary's time. One statement; several writers do not disturb."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO routing_primaryheartbeat (id, at) VALUES (1, clock_timestamp())"
            " ON CONFLICT (id) DO UPDATE SET at = clock_timestamp()"
        )
