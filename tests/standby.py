"""Takes the standby away, or holds it back, and gives it back following and caught up.

    def test_something(standby: Standby) -> None:
        with paused(standby):
            ...

The fixtures `standby` and `standby2` (conftest.py) are such servers of the suite's own.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.embedded import Servers
from deploy.embedded.process import send, with_mark
from deploy.embedded.standby import Standby
from tests.pipeline import eventually
from tests.servers import DIRECTORY

_NOWHERE = "host=127.0.0.1 port=1"
_IN_FORCE = "select setting from pg_settings where name = '{}'"
_HELD = "select count(xmin) from pg_replication_slots where slot_name = '{}'"
_FORGET = "alter system reset all; select pg_reload_conf(); select pg_wal_replay_resume()"


def suite_servers() -> Servers:
    """The servers of the suite; fails if the standby's URL was given: that one is not ours."""
    servers = Servers(DIRECTORY)
    assert servers.standby.url() == os.environ["DATABASE_REPLICA_URL"], (
        "DATABASE_REPLICA_URL is set: only a standby that the suite started may be broken"
    )
    return servers


def catch_up(standby: Standby) -> None:
    """Return when the standby shows everything that was committed until now."""
    # Its own position, not pg_current_wal_insert_lsn(): behind a page's header, that may be a
    # place where nothing is until somebody writes again.
    written = standby.primary.sql("select pg_logical_emit_message(true, 'catch up', '')")
    replayed = f"select pg_last_wal_replay_lsn() >= '{written}'"
    eventually(lambda: standby.sql(replayed) == "t", what=f"{standby.name} caught up")


def mend(standby: Standby) -> None:
    """Undo what the blocks below do, even when a killed run left it; returns caught up."""
    _thaw(standby)
    if standby.is_promoted:
        standby.remove()
    elif standby.pid() is not None:
        standby.sql(_FORGET)
    standby.start()
    catch_up(standby)


@contextmanager
def paused(standby: Standby) -> Iterator[None]:
    """It receives everything and shows nothing of it."""
    with _mended_afterwards(standby):
        standby.sql("select pg_wal_replay_pause()")
        state = "select pg_get_wal_replay_pause_state()"
        eventually(lambda: standby.sql(state) == "paused", what="replay paused")
        yield


@contextmanager
def lagging(standby: Standby, *, seconds: float) -> Iterator[None]:
    """It shows every commit so much later."""
    with _mended_afterwards(standby):
        _set(standby, "recovery_min_apply_delay", str(round(seconds * 1000)))
        yield


@contextmanager
def impatient(standby: Standby) -> Iterator[None]:
    """It tells the primary of no query, and ends at once any that is in the way of replay."""
    with _mended_afterwards(standby):
        _set(standby, "max_standby_streaming_delay", "0")
        _set(standby, "hot_standby_feedback", "off")
        held = _HELD.format(standby.name)
        eventually(lambda: standby.primary.sql(held) == "0", what="no row held for it")
        yield


@contextmanager
def cut_off(standby: Standby) -> Iterator[None]:
    """It answers, and receives nothing from the primary: it looks caught up and is not."""
    with _mended_afterwards(standby):
        _set(standby, "primary_conninfo", _NOWHERE)
        receivers = "select count(*) from pg_stat_wal_receiver"
        eventually(lambda: standby.sql(receivers) == "0", what="the standby cut off")
        yield


@contextmanager
def stopped(standby: Standby) -> Iterator[None]:
    """It has ended in order: its sessions were told, and new ones are refused."""
    with _mended_afterwards(standby):
        standby.stop()
        yield


@contextmanager
def killed(standby: Standby) -> Iterator[None]:
    """kill -9: its sessions break off, and new ones are refused."""
    with _mended_afterwards(standby):
        standby.kill()
        yield


@contextmanager
def frozen(standby: Standby) -> Iterator[None]:
    """It stands still, sessions too. A new one is let in by the kernel, and nobody answers."""
    with _mended_afterwards(standby):
        for pid in _processes(standby):
            send(pid, signal.SIGSTOP)
        yield


@contextmanager
def promoted(standby: Standby) -> Iterator[None]:
    """It is a primary of its own; afterwards it is copied anew."""
    with _mended_afterwards(standby):
        assert standby.sql("select pg_promote()") == "t"
        yield


@contextmanager
def _mended_afterwards(standby: Standby) -> Iterator[None]:
    try:
        yield
    finally:
        mend(standby)


def _set(standby: Standby, setting: str, value: str) -> None:
    standby.sql(f"alter system set {setting} = '{value}'; select pg_reload_conf()")
    # What a new session sees, the postmaster has read.
    in_force = _IN_FORCE.format(setting)
    eventually(lambda: standby.sql(in_force) == value, what=f"{setting} = {value}")


def _thaw(standby: Standby) -> None:
    for pid in _processes(standby):
        send(pid, signal.SIGCONT)


def _processes(standby: Standby) -> list[int]:
    # The postmaster first: nobody starts another child while its children are looked up.
    pid = standby.pid()
    return [] if pid is None else [pid, *with_mark(standby.child_mark)]
