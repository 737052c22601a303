"""What every embedded server can do: start, stop, be killed, say how it is."""

import signal
from abc import ABC, abstractmethod
from pathlib import Path

from deploy.embedded.home import Home
from deploy.embedded.process import (
    ServerUnavailable,
    is_running,
    recorded_pid,
    send,
    wait_until,
    with_mark,
)


class Server(ABC):
    """One server of a home. Its process is known by its pid file and its command line."""

    name: str
    stop_signal = signal.SIGTERM
    start_seconds = 60.0
    stop_seconds = 60.0

    def __init__(self, home: Home) -> None:
        self.home = home

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """The file into which the server itself writes its process id."""

    @property
    @abstractmethod
    def mark(self) -> str:
        """What stands in the command line of this server and of no other process."""

    @property
    def child_mark(self) -> str:
        """The mark of children that outlive a killed server for a moment."""
        return self.mark

    @property
    def address(self) -> str:
        """Where it listens, empty before the first start."""
        port = self.home.port(self.name)
        return f"127.0.0.1:{port}" if port else ""

    @abstractmethod
    def version(self) -> str:
        """Return the running server's version, empty if it does not answer."""

    @abstractmethod
    def _begin(self) -> int:
        """Launch the process on free ports, first making its data if need be."""

    def pid(self) -> int | None:
        """Return the server's process id, None when it is down."""
        pid = recorded_pid(self.pid_file)
        # After a restart of the machine the id in a stale file may be anybody's.
        return pid if pid is not None and is_running(pid, self.mark) else None

    def answers(self) -> bool:
        """Whether it is up and serves us."""
        return self.pid() is not None and bool(self.version())

    def start(self) -> None:
        """Return when the server answers, started now or before."""
        pid = self.pid() or self._begin()
        wait_until(lambda: self.answers() or not is_running(pid), seconds=self.start_seconds)
        if self.answers():
            return
        problem = "does not answer" if is_running(pid) else "ended while starting"
        raise ServerUnavailable(f"{self.name} {problem}", log=self.home.log(self.name))

    def stop(self) -> None:
        """Return when the server has ended in order."""
        pid = self.pid()
        if pid is None:
            return
        send(pid, self.stop_signal)
        if not wait_until(lambda: not is_running(pid, self.mark), seconds=self.stop_seconds):
            raise ServerUnavailable(f"{self.name} does not stop", log=self.home.log(self.name))

    def kill(self) -> None:
        """End the server without a chance to tidy up; return when nothing of it is left."""
        pid = self.pid()
        if pid is None:
            return
        send(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid, self.mark), seconds=self.stop_seconds)
        self.end_orphans()

    def end_orphans(self) -> None:
        """Wait for the children of a killed server; end those that take longer than 3 s."""
        if not wait_until(lambda: not with_mark(self.child_mark), seconds=3):
            for pid in with_mark(self.child_mark):
                send(pid, signal.SIGKILL)
            wait_until(lambda: not with_mark(self.child_mark), seconds=3)
