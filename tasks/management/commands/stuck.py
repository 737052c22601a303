"""manage.py stuck: what needs a look, for people and for whatever watches the shop."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from shop.clock import database_time
from tasks.answers import Answer
from tasks.stuck import QUESTIONS, ask

_STUCK, _COULD_NOT_ASK = 1, 2
_SHOWN = 3


class Command(BaseCommand):
    help = (
        "Says what is stuck in the order pipeline: how many, since when, the oldest few. "
        "Ends with 0 if nothing is, 1 if something is, 2 if the database cannot be asked."
    )
    requires_system_checks = []  # they would want the database, too

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            now = database_time()
            answers = ask(QUESTIONS, now=now, examples=_SHOWN)
        except DatabaseError as error:
            text = f"The database cannot be asked: {str(error).splitlines()[0]}"
            raise CommandError(text, returncode=_COULD_NOT_ASK) from error
        if options["json"]:
            self.stdout.write(_document(answers, now=now))
        elif self.stdout.isatty():
            Console().print(_table(answers))
        else:
            self.stdout.write("\n".join(_line(answer) for answer in answers))
        stuck = [answer.code for answer in answers if answer.needs_a_look]
        if stuck:
            text = f"{len(stuck)} of {len(answers)} need a look: {', '.join(stuck)}."
            raise CommandError(text, returncode=_STUCK)


def _document(answers: Sequence[Answer], *, now: datetime) -> str:
    found = [{**asdict(answer), "needs_a_look": answer.needs_a_look} for answer in answers]
    return json.dumps({"at": now, "questions": found}, indent=2, cls=DjangoJSONEncoder)


def _table(answers: Sequence[Answer]) -> Table:
    table = Table(
        "what",
        Column("number", justify="right"),
        "oldest",
        Column("the oldest ones", overflow="fold"),
    )
    for answer in answers:
        # Text: in an error's text, brackets are no markup.
        table.add_row(
            answer.title,
            str(answer.number),
            _oldest(answer),
            Text("\n".join(each.text for each in answer.examples)),
            style="bold red" if answer.needs_a_look else "green",
        )
    return table


def _line(answer: Answer) -> str:
    examples = "; ".join(each.text for each in answer.examples)
    facts = [f"{answer.code} {answer.number}", _oldest(answer), examples]
    return "  ".join(fact for fact in facts if fact)


def _oldest(answer: Answer) -> str:
    return f"{answer.oldest:%F %T}" if answer.oldest else ""
