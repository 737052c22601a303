"""Which part of the pipeline fell silent, and what the others last saw: the heartbeats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from apps.catalog.search.models import SearchIndex
from apps.orders.models import Order
from tasks.answers import Answer, Example, Question, page, permission
from tasks.models import AUDIT, BEAT, QUEUES, RELAY, SEARCH, SWEEPER, Heartbeat

# Each beats several times in these; one that only restarts is not silent.
_RELAY_SILENT_AFTER = timedelta(seconds=60)
_BEAT_SILENT_AFTER = timedelta(minutes=2)
_SWEEPER_SILENT_AFTER = timedelta(minutes=5)
# These are made every night.
_AUDIT_SILENT_AFTER = timedelta(hours=26)
_SEARCH_SILENT_AFTER = timedelta(hours=26)
# A deployment takes the workers away for less.
_QUEUE_LEFT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Word:
    """Stuck is what the last heartbeat of a part of the pipeline says, or that it is old."""

    code: str
    title: str
    heartbeat: str
    troubles: Callable[[Heartbeat | None, datetime], "list[Trouble]"]

    @property
    def permission(self) -> str:
        return permission(Heartbeat)

    def ask(self, *, now: datetime, examples: int = 0) -> Answer:
        heartbeat = Heartbeat.objects.filter(pk=self.heartbeat).first()
        troubles = self.troubles(heartbeat, now)
        url = f"{reverse(page(Heartbeat, 'changelist'))}?{urlencode({'name': self.heartbeat})}"
        return Answer(
            code=self.code,
            title=self.title,
            number=len(troubles),
            oldest=min((each.since for each in troubles if each.since), default=None),
            url=url,
            examples=[Example(text=each.text, url=url) for each in troubles[:examples]],
        )


class Trouble(NamedTuple):
    """What a heartbeat says is wrong, and since when if that is known."""

    text: str
    since: datetime | None


def _silent(after: timedelta) -> Callable[[Heartbeat | None, datetime], list[Trouble]]:
    def troubles(heartbeat: Heartbeat | None, now: datetime) -> list[Trouble]:
        if heartbeat is None:
            return [Trouble("was never heard", None)]
        if heartbeat.at < now - after:
            return [Trouble(f"last heard at {heartbeat.at:%F %T}", heartbeat.at)]
        return []

    return troubles


def _silent_or_alone(heartbeat: Heartbeat | None, now: datetime) -> list[Trouble]:
    if troubles := _silent(_RELAY_SILENT_AFTER)(heartbeat, now):
        return troubles
    if heartbeat and not heartbeat.facts.get("connected", True):
        return [Trouble(f"without its broker: {heartbeat.facts['error']}", heartbeat.at)]
    return []


def _silent_about_orders(
    after: timedelta,
) -> Callable[[Heartbeat | None, datetime], list[Trouble]]:
    """A shop whose first order is younger has nothing yet that should have been looked at."""

    def troubles(heartbeat: Heartbeat | None, now: datetime) -> list[Trouble]:
        silent = _silent(after)(heartbeat, now)
        older = Order.objects.filter(placed_at__lt=now - after)
        return silent if silent and older.exists() else []

    return troubles


def _silent_about_the_index(heartbeat: Heartbeat | None, now: datetime) -> list[Trouble]:
    """A shop whose first index is younger has nothing yet that should have been compared. One
    whose index is gone from the engine has nothing to compare, and that is a trouble."""
    older = SearchIndex.objects.filter(live_at__lt=now - _SEARCH_SILENT_AFTER)
    if not settings.SEARCH_URL or not older.exists():
        return []
    return _silent(_SEARCH_SILENT_AFTER)(heartbeat, now)


def _left(look: Heartbeat | None, now: datetime) -> list[Trouble]:
    """Work that nobody consumes, and messages where none should stay.

    Without a look of late this cannot be said, and then beat is silent.
    """
    if look is None or look.at < now - _BEAT_SILENT_AFTER:
        return []
    since = {
        name: datetime.fromisoformat(state["left_since"])
        for name, state in look.facts.items()
        if state["left_since"]
    }
    return [
        Trouble(f"{name}, {look.facts[name]['messages']} waiting", since[name])
        for name in sorted(since)
        if since[name] < now - _QUEUE_LEFT_AFTER
    ]


def _violated(heartbeat: Heartbeat | None, _now: datetime) -> list[Trouble]:
    if heartbeat is None:
        return []
    codes = heartbeat.facts["codes"]
    return [Trouble(f"{code} is violated", heartbeat.at) for code in codes]


def _differed(heartbeat: Heartbeat | None, _now: datetime) -> list[Trouble]:
    if heartbeat is None or not heartbeat.facts["different"]:
        return []
    number, of = heartbeat.facts["different"], heartbeat.facts["products"]
    return [Trouble(f"{number} of {of} products, marked to be written anew", heartbeat.at)]


RELAY_SILENT = Word(
    code="relay_silent",
    title="Relay silent, or without its broker",
    heartbeat=RELAY,
    troubles=_silent_or_alone,
)
SIGNS_OF_LIFE: Sequence[Question] = (
    RELAY_SILENT,
    Word(
        code="queues_left",
        title="Queues that nobody empties",
        heartbeat=QUEUES,
        troubles=_left,
    ),
    Word(
        code="beat_silent",
        title="Beat silent",
        heartbeat=BEAT,
        troubles=_silent(_BEAT_SILENT_AFTER),
    ),
    Word(
        code="sweeper_silent",
        title="Sweeper silent",
        heartbeat=SWEEPER,
        troubles=_silent_about_orders(_SWEEPER_SILENT_AFTER),
    ),
    Word(
        code="audit_violated",
        title="Invariants violated at the last audit",
        heartbeat=AUDIT,
        troubles=_violated,
    ),
    Word(
        code="audit_silent",
        title="Audit silent",
        heartbeat=AUDIT,
        troubles=_silent_about_orders(_AUDIT_SILENT_AFTER),
    ),
    Word(
        code="search_differed",
        title="Search index other than the database at the last comparison",
        heartbeat=SEARCH,
        troubles=_differed,
    ),
    Word(
        code="search_silent",
        title="Search index not compared of late",
        heartbeat=SEARCH,
        troubles=_silent_about_the_index,
    ),
)
