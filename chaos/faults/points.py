"""The crash points, put around the shop's own functions from outside.

The shop's code has none: a process that was not started with chaos/settings.py cannot crash
on purpose. Every point kills the process that comes there, if the plan says so:

* `web.before_commit`, `web.after_commit`: around the commit of a checkout;
* `TASK.before`, `TASK.before_commit`, `TASK.after_commit`, `TASK.after`, `TASK.published`:
  before the task, around its commit, after it, and after its next step was published;
* `email.claimed`, `email.handed_over`: before and after the mail server has the mail;
* `relay.claimed`, `relay.published`: before the batch is published, and after the broker's
  confirms, before the rows are marked.

A message that comes again is let through, or no number of deliveries would be enough.
"""

import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from chaos.faults.plan import between, crash_if, note, setting, shuffled
from shop.mail.models import OutgoingEmail
from tasks.base import ShopTask
from tasks.publisher import Chain, ConfirmingPublisher

_CHECKOUT = "/api/orders/orders/create/"
# Whose commit it is: "web" during a checkout, the task's name while it runs the first time.
_scope: ContextVar[str] = ContextVar("scope", default="")


def install() -> None:
    """Put the points in place, in this process and those that it forks."""
    _around_commits()
    _around_tasks()
    _around_emails()
    _around_publishing()
    _beside_the_clock()


class CheckoutScope:
    """Middleware: the commits of this request are a checkout's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _scope.set("web" if request.path == _CHECKOUT else "")
        try:
            return self.get_response(request)
        finally:
            _scope.reset(token)


def _crash(where: str) -> None:
    if _scope.get():
        crash_if(f"{_scope.get()}.{where}")


def _around_commits() -> None:
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def _commit(self: Any) -> None:
        _crash("before_commit")
        commit(self)
        _crash("after_commit")

    BaseDatabaseWrapper._commit = _commit  # type: ignore[attr-defined]


def _around_tasks() -> None:
    run, succeeded = ShopTask.__call__, ShopTask.on_success

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        name = self.name.rpartition(".")[2]
        again = bool((self.request.get("delivery_info") or {}).get("redelivered"))
        note("redelivered" if again else "runs", f"{self.request.id} {self.request.retries}")
        token = _scope.set("" if again else name)
        try:
            _crash("before")
            result = run(self, *args, **kwargs)
            _crash("after")
            return result
        finally:
            _scope.reset(token)

    def on_success(self: Any, *args: Any, **kwargs: Any) -> None:
        succeeded(self, *args, **kwargs)
        if not (self.request.get("delivery_info") or {}).get("redelivered"):
            crash_if(f"{self.name.rpartition('.')[2]}.published")

    ShopTask.__call__ = __call__  # type: ignore[method-assign]
    ShopTask.on_success = on_success  # type: ignore[method-assign]


def _around_emails() -> None:
    hand_over = OutgoingEmail._hand_over

    def _hand_over(self: Any, *args: Any) -> str:
        crash_if("email.claimed")
        # The mail server's part of the hand-over; what follows is the shop's own note of it.
        finish = self._finish

        def _finish(*args: Any, **kwargs: Any) -> str:
            crash_if("email.handed_over")
            return str(finish(*args, **kwargs))

        self._finish = _finish
        return hand_over(self, *args)

    OutgoingEmail._hand_over = _hand_over  # type: ignore[method-assign, assignment]


def _around_publishing() -> None:
    publish = ConfirmingPublisher.publish

    def _publish(self: ConfirmingPublisher, chains: Sequence[Chain]) -> set[str]:
        crash_if("relay.claimed")
        refused = publish(self, _distorted(list(chains)))
        crash_if("relay.published")
        return refused

    ConfirmingPublisher.publish = _publish  # type: ignore[method-assign]


def _distorted(chains: list[Chain]) -> list[Chain]:
    """The chains as they are, several times each, or as single steps in random order."""
    if most := setting("relay.copies"):
        chains = [chain for chain in chains for _ in range(between(1, most))]
    if setting("relay.shuffled_steps"):
        chains = shuffled([[step] for chain in chains for step in chain])
    return chains


def _beside_the_clock() -> None:
    now = timezone.now

    def skewed() -> datetime:
        skews = setting("clock.skews") or {}  # seconds, by the process's name
        return now() + timedelta(seconds=skews.get(os.environ.get("HONCHO_PROCESS_NAME"), 0))

    timezone.now = skewed
