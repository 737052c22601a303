"""What `restart: always` is in production: a process that ended is started again."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from deploy.processes import Processes

_LOOK_EVERY, _RESTART_AFTER = 0.1, 0.5  # seconds


class Supervisor:
    """Keeps the processes running that should run, and counts how often it had to."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._wanted: set[str] = set()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.restarts: Counter[str] = Counter()

    def __enter__(self) -> "Supervisor":
        self._processes.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._processes.stop()

    def start(self, names: Iterable[str]) -> None:
        """Start these, and again whenever they end."""
        with self._lock:
            self._processes.start(names)
            self._wanted.update(names)

    def stop(self, name: str) -> None:
        """Ask one to end, as a deployment does, and wait until it has."""
        with self._lock:
            self._wanted.discard(name)
            self._processes.stop_one(name)

    def pid(self, name: str) -> int:
        return self._processes.pid(name)

    @contextmanager
    def without(self, *names: str) -> Iterator[None]:
        """These are down meanwhile, killed."""
        with self._lock:
            for name in names:
                self._wanted.discard(name)
                self._processes.kill(name)
        try:
            yield
        finally:
            self.start(names)

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            with self._lock:
                alive = set(self._processes.alive())
                for name in self._wanted - alive:
                    self.restarts[name] += 1
                    self._ended.wait(_RESTART_AFTER)
                    self._processes.start([name])
