"""The Procfile's processes: started in an environment of one's own, stopped or killed by id."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from honcho.environ import parse_procfile

from deploy.embedded.process import is_running, recorded_pid, send, wait_until

ROOT = Path(__file__).resolve().parents[1]
# Seconds. A worker finishes its task first; what is killed after that is delivered again.
_PATIENCE = 10


class Processes:
    """Any of the Procfile's processes, their output in `<directory>/log/<name>.log`.

    A second process of a kind has a number behind its name, as honcho's have: worker-order.2.

    `environment` is all they see of the caller's, but for PATH, which starts with this
    interpreter's programs. They run in `root`, the shop's own directory.
    Leaving the `with` block stops them, whatever the reason.

    >>> with Processes(environment=environment, directory=Path("var")) as processes:
    ...     processes.start(["relay", "worker-order"])
    """

    def __init__(
        self, *, environment: Mapping[str, str], directory: Path, root: Path | None = None
    ) -> None:
        programs = Path(sys.executable).parent
        path = f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
        self._environment = {**environment, "PATH": path}
        self._root = root or ROOT
        self._commands: dict[str, str] = parse_procfile(
            (self._root / "Procfile").read_text()
        ).processes
        self._directory = directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, names: Iterable[str]) -> None:
        """Start these; they may need a moment until they serve.

        One that an earlier owner of `directory` left behind is ended first.
        """
        for name in names:
            self._end_leftover(name)
            self._running[name] = self._launch(name)
            self._pid_file(name).write_text(f"{self._running[name].pid}\n")

    def end_leftovers(self) -> None:
        """End all that an earlier owner of `directory` left behind."""
        for pid_file in (self._directory / "log").glob("*.pid"):
            if self._kind(pid_file.stem) in self._commands:
                self._end_leftover(pid_file.stem)

    def stop(self) -> None:
        """Ask all of them to end; kill what is still there after a while, or at Ctrl-C."""
        processes = list(self._running.values())
        for process in processes:
            send(process.pid, signal.SIGTERM)
        try:
            wait_until(lambda: not self.alive(), seconds=_PATIENCE)
        finally:
            for name in list(self._running):
                self.kill(name)

    def stop_one(self, name: str) -> None:
        """Ask one to end, as stop() asks all of them."""
        process = self._running[name]
        send(process.pid, signal.SIGTERM)
        wait_until(lambda: process.poll() is not None, seconds=_PATIENCE)
        self.kill(name)

    def kill(self, name: str) -> None:
        """End one and its children by SIGKILL; return when it is gone."""
        process = self._running.pop(name)
        _kill_group(process.pid)
        process.wait()
        self._pid_file(name).unlink(missing_ok=True)

    def alive(self) -> list[str]:
        """The names of those that were started and have not ended."""
        # A copy: another thread may end one meanwhile.
        running = list(self._running.items())
        return [name for name, process in running if process.poll() is None]

    def pid(self, name: str) -> int:
        """The process id of one that was started."""
        return self._running[name].pid

    def memory(self) -> dict[str, int]:
        """MiB that each of them and its children take; pages that they share count once."""
        return {name: round(_pss(self.pid(name)) / 1024) for name in self.alive()}

    def log(self, name: str) -> Path:
        """The file that one writes its output to."""
        return self._directory / "log" / f"{name}.log"

    def _launch(self, name: str) -> subprocess.Popen[bytes]:
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as output:
            # The shell fills in ${PORT:-8000} and hands its process id over to the program.
            # A session of its own: Ctrl-C is for us, who stop the processes in order.
            return subprocess.Popen(  # noqa: S603 the Procfile is ours
                ["/bin/sh", "-c", f"exec {self._commands[self._kind(name)]}"],
                cwd=self._root,
                env={**self._environment, "HONCHO_PROCESS_NAME": name},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _end_leftover(self, name: str) -> None:
        pid = recorded_pid(self._pid_file(name))
        # After a restart of the machine the id may be anybody's: compare the command too.
        mark = self._commands[self._kind(name)].partition("$")[0].strip()
        if pid is not None and is_running(pid, mark):
            send(pid, signal.SIGTERM)
            # Without the mark: a process that is just ending has no command line any more.
            wait_until(lambda: not is_running(pid), seconds=_PATIENCE)
            _kill_group(pid)
            wait_until(lambda: not is_running(pid), seconds=_PATIENCE)

    def _kind(self, name: str) -> str:
        return name.partition(".")[0]

    def _pid_file(self, name: str) -> Path:
        return self.log(name).with_name(f"{name}.pid")


def _kill_group(pid: int) -> None:
    """Kill the group that the process leads, and so the children of one that has ended."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pss(pid: int) -> int:
    """KiB of the process and its children: resident memory, shared pages divided fairly."""
    process = Path("/proc") / str(pid)
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
        children = (process / "task" / str(pid) / "children").read_text().split()
    except OSError:  # it has just ended
        return 0
    own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own + sum(_pss(int(child)) for child in children)
