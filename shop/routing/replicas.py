"""What this process knows of each standby: how far it is, and whether to leave it alone."""

import logging
import random
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connections

from shop.routing.patience import limited_patience
from shop.routing.positions import position
from shop.sqlstate import sqlstate

_LEFT_ALONE = 5.0  # seconds, after it failed
_BELIEVED = 1.0  # seconds for which its last word counts
_IN_THE_WAY = "40001"  # of replay: a healthy standby ended the query
_ASK = """
    SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text,
           EXTRACT(EPOCH FROM clock_timestamp() - (SELECT at FROM routing_primaryheartbeat))
"""
_DOWN, _NOT_A_STANDBY, _NO_HEARTBEAT = "down", "not a standby", "no heartbeat"

log = logging.getLogger(__name__)


class Replica:
    """One standby. Its position is kept: replay only moves forward, so that a caller who asks
    for no more than was there the last time costs no query."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.lag: float | None = None  # seconds, when it was last asked
        self._asking = threading.Lock()
        self._trouble: str | None = "not asked yet"
        self._replayed = 0
        self._asked_at = self._alone_until = float("-inf")

    def trouble(self, *, after: int) -> str | None:
        """Why a caller who has seen position `after` cannot read here; None if he can."""
        now = time.monotonic()
        if now < self._alone_until:
            return self._trouble
        if now - self._asked_at > _BELIEVED or (
            self._trouble is None and after > self._replayed
        ):
            self._ask()
        if self._trouble is not None:
            return self._trouble
        return None if after <= self._replayed else "behind the caller's own write"

    def failed(self, error: Exception | None) -> None:
        """A read here failed: leave it alone for a while if it is to blame.

        It is when it is gone or too slow, and not when the query was in replay's way, or was
        about a column that has not come here yet.
        """
        if isinstance(error, OperationalError) and sqlstate(error) == _IN_THE_WAY:
            return
        if isinstance(error, OperationalError | InterfaceError):
            self._leave_alone(_DOWN, error)

    def _ask(self) -> None:
        # One at a time; who comes meanwhile goes by what is known, and waits for nobody.
        if not self._asking.acquire(blocking=False):
            return
        try:
            connection = connections[self.alias]
            with connection.cursor() as cursor, limited_patience(connection):
                cursor.execute(_ASK)
                self._hear(*cursor.fetchone())
        except (DatabaseError, InterfaceError) as error:  # one without the table, too
            self._leave_alone(_DOWN, error)
        finally:
            self._asked_at = time.monotonic()
            self._asking.release()

    def _hear(self, is_standby: bool, replayed: str | None, lag: Any) -> None:
        if not is_standby or replayed is None:
            # Promoted, or never one: its data go their own way.
            self._leave_alone(_NOT_A_STANDBY)
            return
        self._replayed = position(replayed)
        self.lag = None if lag is None else float(lag)
        self._note(self._lateness())

    def _lateness(self) -> str | None:
        if settings.REPLICA_ROUTING == "ignore-lag":
            return None
        if self.lag is None:
            return _NO_HEARTBEAT
        return "late" if self.lag > settings.REPLICA_MAX_LAG else None

    def _leave_alone(self, trouble: str, error: Exception | None = None) -> None:
        self._alone_until = time.monotonic() + _LEFT_ALONE
        self.lag = None
        # What it says after it is back, or was made anew, has nothing to do with before.
        self._replayed = 0
        connections[self.alias].close()
        self._note(trouble, error)

    def _note(self, trouble: str | None, error: Exception | None = None) -> None:
        """One line when it changes, and none while it lasts."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble is None:
            log.info("%s is read", self.alias)
        else:
            reason = str(error).partition("\n")[0] if error else ""
            log.warning("%s is not read: %s %s", self.alias, trouble, reason)


_replicas: dict[str, Replica] = {}


def replica(alias: str) -> Replica:
    """What this process knows of that standby."""
    return _replicas.setdefault(alias, Replica(alias))


def in_any_order() -> Sequence[Replica]:
    """All standbys that may be read, each request another one first; none when it is off."""
    if settings.REPLICA_ROUTING == "off":
        return []
    aliases: list[str] = settings.REPLICAS
    return [replica(alias) for alias in random.sample(aliases, len(aliases))]


def forget() -> None:
    """Know nothing of any standby, as a new process does."""
    _replicas.clear()
