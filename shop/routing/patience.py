"""An end to waiting for a standby that has stopped answering and not hung up.

A server whose process is frozen, or whose machine is, keeps its connections: its kernel goes
on acknowledging, or nobody does, and libpq waits for ever. So each statement there has a
deadline, behind the standby's own statement_timeout: a watching thread then shuts the
connection's socket, and the statement ends as on any connection that was lost, with
OperationalError. That holds for both drivers, in any thread, and leaves the connections to the
primary alone.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db.backends.base.base import BaseDatabaseWrapper

PATIENCE = 2.5  # seconds for a statement; a standby that lives ends it after 2
_LOOK = 0.1  # seconds between two looks of the thread

log = logging.getLogger(__name__)


@contextmanager
def limited_patience(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """What is executed inside ends within about PATIENCE seconds, or with OperationalError."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        waiting = _Waiting(connection)
    _watcher.add(waiting)
    try:
        yield
    finally:
        _watcher.remove(waiting)


class _Waiting:
    """One statement that is being executed, and until when."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.alias, self.until = connection.alias, time.monotonic() + PATIENCE
        self._fileno: int | None = connection.connection.fileno()
        # Of its own, so that nobody waits for another's, and a fork copies none that is held.
        self._lock = threading.Lock()

    def end(self) -> None:
        """From here on its descriptor may be anybody's."""
        with self._lock:
            self._fileno = None

    def give_up(self) -> None:
        with self._lock:
            if self._fileno is None:
                return
            log.warning("%s does not answer: its connection is cut", self.alias)
            # The driver's descriptor stays open, and reads the end of the stream.
            with suppress(OSError), socket.socket(fileno=self._fileno) as raw:
                try:
                    raw.shutdown(socket.SHUT_RDWR)
                finally:
                    raw.detach()
            self._fileno = None


class _Watcher:
    """A thread that looks at all that wait; begun with the first, and anew after a fork."""

    def __init__(self) -> None:
        self._all: dict[int, _Waiting] = {}
        self._thread: threading.Thread | None = None

    def add(self, waiting: _Waiting) -> None:
        self._all[id(waiting)] = waiting
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._watch, name="patience", daemon=True)
            self._thread.start()

    def remove(self, waiting: _Waiting) -> None:
        waiting.end()
        self._all.pop(id(waiting), None)

    def forget(self) -> None:
        self._all.clear()

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK)
            for waiting in list(self._all.values()):
                if time.monotonic() > waiting.until:
                    waiting.give_up()


_watcher = _Watcher()
# A child shares its parent's sockets, and must not cut what the parent waits for.
os.register_at_fork(after_in_child=_watcher.forget)
