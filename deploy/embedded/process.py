"""Commands and servers as processes: start them as somebody, find them again, wait for them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

PROC = Path("/proc")


class ServerUnavailable(Exception):
    """One line that says which server cannot be had and why; `log` may tell more."""

    def __init__(self, reason: str, *, log: Path | None = None) -> None:
        super().__init__(reason)
        self.log = log


class Account(NamedTuple):
    """The system user a server runs as."""

    uid: int
    gid: int


def run(
    argv: Sequence[str | Path],
    *,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Return what the command printed; if it failed, raise its last line."""
    process = _popen(
        argv,
        account=account,
        env=env,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = process.communicate(stdin)
    if process.returncode != 0:
        lines = (errors or output).strip().splitlines() or [f"exit status {process.returncode}"]
        raise ServerUnavailable(f"{Path(argv[0]).name}: {lines[-1]}")
    return output


def launch(
    argv: Sequence[str | Path],
    *,
    log: Path,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Start a server that outlives us, in a session of its own; return its process id.

    It writes to `log`, which we open: its account need not be able to.
    """
    # A shell between us and the server makes the server a child of process 1: killed, it is
    # reaped there and does not stay as our zombie. Being started by `&` it ignores SIGINT until
    # it installs a handler of its own, as PostgreSQL does.
    detached = ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *argv]
    with log.open("a") as output:
        process = _popen(
            detached, account=account, env=env, stdin=subprocess.DEVNULL, stderr=output
        )
    printed, _ = process.communicate()
    return int(printed)


def _popen(
    argv: Sequence[str | Path],
    *,
    account: Account | None,
    env: Mapping[str, str] | None,
    stdin: int,
    stderr: int | IO[str],
) -> subprocess.Popen[str]:
    # Only what is named here reaches a server: a PGHOST or ERL_FLAGS of the caller's does not.
    base = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(  # noqa: S603 -- programs found by us, arguments made by us, no shell text
        argv,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd="/",
        env=base | dict(env or {}),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        umask=0o077,
        start_new_session=True,
    )


def is_running(pid: int, mark: str = "") -> bool:
    """Whether `pid` lives and `mark` stands in its command line. A zombie does not live."""
    # Not by the command line alone: it is empty for a moment while a process is starting.
    return _lives(pid) and mark in _command_line(pid)


def with_mark(mark: str) -> list[int]:
    """Return the processes that carry `mark` in their command line, but for this one."""
    return [pid for pid in _pids() if pid != os.getpid() and is_running(pid, mark)]


def recorded_pid(path: Path) -> int | None:
    """Return the process id in the first line of a pid file, None if there is none."""
    try:
        first, *_ = path.read_text().split(maxsplit=1)
        return int(first)
    except (FileNotFoundError, ValueError):
        return None


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has just ended is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _lives(pid: int) -> bool:
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _command_line(pid: int) -> str:
    # /proc/PID/cmdline, because every user may read it; for cwd or exe even root needs
    # CAP_SYS_PTRACE, which a container does not give. A zombie's is empty.
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace")


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
