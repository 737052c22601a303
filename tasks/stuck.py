"""What is stuck: one question each, the same for the admin's pages, the command and health."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import CharField, Count, Exists, Min, Model, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.urls import reverse

from apps.catalog.search.models import UNINDEXED_AFTER, DirtyProduct, Renaming
from apps.orders.models import STALLED_AFTER, Order
from shop.mail.models import STUCK_AFTER, OutgoingEmail
from shop.outbox.models import LATE_AFTER, OutboxMessage
from tasks.answers import Answer, Example, Question, page, permission
from tasks.models import UNHEARD_AFTER, DeadLetter
from tasks.signs_of_life import SIGNS_OF_LIFE

_EMAIL_WAITS_AFTER = timedelta(minutes=15)
# Nobody can settle a bounce, so it has to stop being news.
_BOUNCES_ARE_NEWS_FOR = timedelta(days=7)
_FAILING_FROM = 3


def ask(questions: Sequence[Question], *, now: datetime, examples: int = 0) -> list[Answer]:
    """The answers; a question costs a statement, and one more for its examples."""
    return [question.ask(now=now, examples=examples) for question in questions]


def questions_for(may: Callable[[str], bool]) -> list[Question]:
    """The questions of which a person with these permissions may know the answers."""
    return [question for question in QUESTIONS if may(question.permission)]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Stuck are the rows of a query set; `query` makes the admin's list of just these."""

    code: str
    title: str
    rows: Callable[[datetime], QuerySet[Any]]
    since: str
    query: Callable[[datetime], dict[str, Any]]
    model: type[Model]

    @property
    def permission(self) -> str:
        return permission(self.model)

    def ask(self, *, now: datetime, examples: int = 0) -> Answer:
        rows = self.rows(now)
        found = rows.aggregate(number=Count("pk"), oldest=Min(self.since))
        first = rows.order_by(self.since, "pk")[:examples] if examples else []
        return Answer(
            code=self.code,
            title=self.title,
            url=f"{reverse(page(self.model, 'changelist'))}?{urlencode(self.query(now))}",
            examples=[Example(text=str(row), url=_url(row)) for row in first],
            **found,
        )


def _url(row: Model) -> str:
    return reverse(page(type(row), "change"), args=[row.pk])


def _given_up(_now: datetime) -> QuerySet[OutboxMessage]:
    """Those of which nobody has said, on their dead letter, that nothing more will be done."""
    discarded = DeadLetter.objects.filter(
        task_id=Cast(OuterRef("uuid"), CharField()), status=DeadLetter.Status.DISCARDED
    )
    return OutboxMessage.objects.exclude(gave_up_at=None).exclude(Exists(discarded))


def _bounced(now: datetime) -> QuerySet[OutgoingEmail]:
    bounced = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.BOUNCED)
    return bounced.filter(created_at__gte=now - _BOUNCES_ARE_NEWS_FOR)


def _failing(_now: datetime) -> QuerySet[OutgoingEmail]:
    queued = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.QUEUED)
    return queued.filter(attempts__gte=_FAILING_FROM)


def _waiting(now: datetime) -> QuerySet[OutgoingEmail]:
    queued = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.QUEUED)
    return queued.filter(created_at__lt=now - _EMAIL_WAITS_AFTER)


def _unindexed(now: datetime) -> QuerySet[DirtyProduct]:
    """None without an engine: what waits there waits until one is named again."""
    if not settings.SEARCH_URL:
        return DirtyProduct.objects.none()
    return DirtyProduct.objects.filter(dirty_since__lt=now - UNINDEXED_AFTER)


OUTBOX_LATE = Rows(
    code="outbox_late",
    title="Outbox messages waiting for more than 30 seconds",
    rows=lambda now: OutboxMessage.objects.late(now=now),
    since="created_at",
    query=lambda now: {"state": "waiting", "created_at__lt": now - LATE_AFTER},
    model=OutboxMessage,
)
QUESTIONS: Sequence[Question] = (
    Rows(
        code="orders_stalled",
        title=f"Orders pending for more than {STALLED_AFTER.seconds // 60} minutes",
        rows=lambda now: Order.objects.stalled(now=now),
        since="placed_at",
        query=lambda _now: {"pipeline": "stalled"},
        model=Order,
    ),
    OUTBOX_LATE,
    Rows(
        code="outbox_given_up",
        title="Outbox messages given up",
        rows=_given_up,
        since="gave_up_at",
        query=lambda _now: {"state": "gave-up"},
        model=OutboxMessage,
    ),
    Rows(
        code="dead_letters_open",
        title="Dead letters",
        rows=lambda _now: DeadLetter.objects.open(),
        since="last_at",
        query=lambda _now: {"status__exact": "open"},
        model=DeadLetter,
    ),
    Rows(
        code="dead_letters_unheard",
        title=f"Dead letters silent {UNHEARD_AFTER.seconds // 60} minutes after a replay",
        rows=lambda now: DeadLetter.objects.unheard(now=now),
        since="replayed_at",
        query=lambda now: {
            "status__exact": "replayed",
            "replayed_at__lt": now - UNHEARD_AFTER,
        },
        model=DeadLetter,
    ),
    Rows(
        code="emails_unknown",
        title="E-mails unknown",
        rows=lambda _now: OutgoingEmail.objects.filter(status=OutgoingEmail.Status.UNKNOWN),
        since="claimed_at",
        query=lambda _now: {"status__exact": "unknown"},
        model=OutgoingEmail,
    ),
    Rows(
        code="emails_sending",
        title=f"E-mails sending for more than {STUCK_AFTER.seconds // 60} minutes",
        rows=lambda now: OutgoingEmail.objects.stuck(now=now),
        since="claimed_at",
        query=lambda now: {"status__exact": "sending", "claimed_at__lt": now - STUCK_AFTER},
        model=OutgoingEmail,
    ),
    Rows(
        code="emails_failing",
        title=f"E-mails that failed {_FAILING_FROM} times or more",
        rows=_failing,
        since="created_at",
        query=lambda _now: {"status__exact": "queued", "attempts__gte": _FAILING_FROM},
        model=OutgoingEmail,
    ),
    Rows(
        code="emails_waiting",
        title=f"E-mails not sent for {_EMAIL_WAITS_AFTER.seconds // 60} minutes",
        rows=_waiting,
        since="created_at",
        query=lambda now: {
            "status__exact": "queued",
            "created_at__lt": now - _EMAIL_WAITS_AFTER,
        },
        model=OutgoingEmail,
    ),
    Rows(
        code="emails_bounced",
        title=f"E-mails bounced in the last {_BOUNCES_ARE_NEWS_FOR.days} days",
        rows=_bounced,
        since="created_at",
        query=lambda now: {
            "status__exact": "bounced",
            "created_at__gte": now - _BOUNCES_ARE_NEWS_FOR,
        },
        model=OutgoingEmail,
    ),
    Rows(
        code="products_unindexed",
        title=f"Changes of products not in the search index for "
        f"{UNINDEXED_AFTER.seconds // 60} minutes",
        rows=_unindexed,
        since="dirty_since",
        query=lambda now: {"dirty_since__lt": now - UNINDEXED_AFTER},
        model=DirtyProduct,
    ),
    Rows(
        code="renamings_waiting",
        title=f"Renamings that search has not followed for "
        f"{UNINDEXED_AFTER.seconds // 60} minutes",
        rows=lambda now: Renaming.objects.filter(renamed_at__lt=now - UNINDEXED_AFTER),
        since="renamed_at",
        query=lambda now: {"renamed_at__lt": now - UNINDEXED_AFTER},
        model=Renaming,
    ),
    *SIGNS_OF_LIFE,
)
