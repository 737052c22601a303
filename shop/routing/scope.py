"""The rules by which a read may go to a standby.

All of these must hold: the scope allows it (a GET, `replica_reads()`, or a task that asks for
it); the model says REPLICA_OK; no transaction is open on the primary; the scope has written
nothing; and a standby is healthy, not late, and has replayed all that the caller has written.
Outside of a scope everything is read from the primary.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connections,
)
from django.db.models import Model

from shop.routing import replicas
from shop.routing.patience import limited_patience

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

_READS = re.compile(
    r"[\s(]*(SELECT|WITH|SHOW|EXPLAIN|SET|BEGIN|SAVEPOINT|RELEASE|ROLLBACK)\b", re.I
)
# Also SELECT ... FOR UPDATE: who locks a row is about to decide something.
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|NEXTVAL|SETVAL)\b", re.I)


@dataclass(kw_only=True)
class Scope:
    """One request or task, and what its reads must take into account."""

    replica_ok: bool
    after: int = 0  # the position that its caller has seen
    has_written: bool = False
    is_repeatable: bool = False  # all of it may be done twice: a GET
    replica_error: Exception | None = None  # the last one that a standby answered with
    has_failed: bool = False  # on a standby: the rest is done on the primary
    statements: Counter[str] = field(default_factory=Counter)  # by database
    why: str = ""  # it was the primary, when it might have been a standby
    # The standby that all reads of this scope go to: asked and read is the same server.
    _chosen: str | None = None
    _cleanup: ExitStack = field(default_factory=ExitStack)

    def database_for(self, model: type[Model], instance: Model | None) -> str:
        """The alias to read this model's rows from."""
        if not self._may_use_replica(model, instance):
            return DEFAULT_DB_ALIAS
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    @property
    def has_read_replica(self) -> bool:
        return self._chosen not in (None, DEFAULT_DB_ALIAS)

    def close(self) -> None:
        self._cleanup.close()

    def _may_use_replica(self, model: type[Model], instance: Model | None) -> bool:
        if not self.replica_ok or self.has_failed or self.has_written:
            return False
        if not getattr(model, "REPLICA_OK", False):
            return False
        # What belongs to a row of the primary may not be on a standby yet.
        if instance is not None and instance._state.db == DEFAULT_DB_ALIAS:
            return False
        return not connections[DEFAULT_DB_ALIAS].in_atomic_block

    def _choose(self) -> str:
        """A standby that this caller can read, connected, or else the primary."""
        for replica in replicas.in_any_order():
            trouble = replica.trouble(after=self.after)
            if trouble is None:
                connection = connections[replica.alias]
                try:
                    connection.ensure_connection()
                except OperationalError as error:
                    replica.failed(error)
                    trouble = "down"
                else:
                    watch = partial(self._watch_replica, replica.alias)
                    self._cleanup.enter_context(connection.execute_wrapper(watch))
                    return replica.alias
            self.why = f"{replica.alias}: {trouble}"
        return DEFAULT_DB_ALIAS

    def watch_primary(self, execute: Any, sql: Any, *rest: Any) -> Any:
        """Around each statement on the primary: raw SQL and .using() come past no router."""
        self.statements[DEFAULT_DB_ALIAS] += 1
        if not self.has_written:
            text = str(sql)
            self.has_written = not _READS.match(text) or bool(_WRITES.search(text))
        return execute(sql, *rest)

    def _watch_replica(self, alias: str, execute: Any, *call: Any) -> Any:
        self.statements[alias] += 1
        try:
            with limited_patience(connections[alias]):
                return execute(*call)
        except (DatabaseError, InterfaceError) as error:
            self.replica_error = error
            raise

    @property
    def can_go_on(self) -> bool:
        """Whether what a standby failed at may be done once more, on the primary."""
        return self.replica_error is not None and not self.has_written and not self.has_failed

    def go_on(self) -> None:
        """All that follows is read on the primary."""
        assert self._chosen is not None  # noqa: S101 it has failed
        log.warning("%s failed, the primary is asked: %r", self._chosen, self.replica_error)
        replicas.replica(self._chosen).failed(self.replica_error)
        self.has_failed, self.why = True, f"{self._chosen}: failed"


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current() -> Scope | None:
    return _scope.get()


def will_be_repeated() -> bool:
    """Whether the middleware is going to do this view once more, on the primary."""
    scope = _scope.get()
    return scope is not None and scope.is_repeatable and scope.can_go_on


@contextmanager
def scope(*, replica_ok: bool, after: int = 0, is_repeatable: bool = False) -> Iterator[Scope]:
    """One request or task. `after` is the position that a standby must have replayed."""
    new = Scope(replica_ok=replica_ok, after=after, is_repeatable=is_repeatable)
    token = _scope.set(new)
    try:
        with connections[DEFAULT_DB_ALIAS].execute_wrapper(new.watch_primary):
            yield new
    finally:
        new.close()
        _scope.reset(token)


@contextmanager
def replica_reads() -> Iterator[None]:
    """The reads inside may go to a standby although the request is about to write."""
    scope = _scope.get()
    if scope is None:
        yield
        return
    before, scope.replica_ok = scope.replica_ok, True
    try:
        yield
    finally:
        scope.replica_ok = before


def read_from_replica(read: Callable[[], R], *, unless: type[Exception]) -> R:
    """What `read` returns on a standby; on the primary if that fails, or raises `unless`.

    For what is shown or copied and decides nothing: such rows cannot be saved. `unless` is the
    refusal, "there is none", which is a decision and therefore the primary's.
    """
    scope = _scope.get()
    try:
        with replica_reads():
            return read()
    except unless:
        if scope is None or not scope.has_read_replica:
            raise
    except (DatabaseError, InterfaceError):
        if scope is None or not scope.can_go_on:
            raise
        scope.go_on()
    return read()


def primary_only(view: Callable[P, R]) -> Callable[P, R]:
    """A view whose answers nobody may see late: everything in it is read from the primary."""

    @wraps(view)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        scope = _scope.get()
        if scope is not None:
            scope.replica_ok = False
        return view(*args, **kwargs)

    return inner
