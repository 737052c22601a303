"""What a question about something stuck is, and its answer, whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db.models import Model


@dataclass(frozen=True, kw_only=True)
class Example:
    """One of those that are stuck, and its page."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How many are stuck, since when, the list of them, and the oldest few if asked for."""

    code: str
    title: str
    number: int
    oldest: datetime | None
    url: str
    examples: Sequence[Example]

    @property
    def needs_a_look(self) -> bool:
        return self.number > 0


class Question(Protocol):
    """Something that can be stuck. Who may view `permission`'s list may know the answer."""

    @property
    def code(self) -> str: ...

    @property
    def permission(self) -> str: ...

    def ask(self, *, now: datetime, examples: int = 0) -> Answer: ...


def permission(model: type[Model]) -> str:
    """The right to view the list of this model."""
    return f"{model._meta.app_label}.view_{model._meta.model_name}"


def page(model: type[Model], name: str) -> str:
    """The name of a page of the admin: changelist or change."""
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"
