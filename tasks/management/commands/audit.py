"""manage.py audit: is everything still true that must be true of the shop."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from shop.sqlstate import sqlstate
from tasks.audit.display import Display
from tasks.audit.run import GRACE, Finding, UnknownOrder, run_audit
from tasks.audit.standby import NoStandby, standby_connection

_VIOLATED, _COULD_NOT_RUN, _INTERRUPTED = 1, 2, 130
# PostgreSQL's serialization_failure. The audit writes nothing, so it can have no other cause.
_RECOVERY_CONFLICT = "40001"


class Command(BaseCommand):
    help = (
        "Asks the database whether stock, ledger, orders, e-mails and messages agree: one line "
        "for each invariant. Reads only, of one moment, while the shop sells. Ends with 0 if "
        "all hold, 1 if one is violated, 2 if the audit could not run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--order", metavar="NUMBER", help="what concerns this order alone")
        parser.add_argument(
            "--grace",
            type=_seconds,
            default=GRACE,
            metavar="SECONDS",
            help="what is younger may still be on its way; "
            f"default {GRACE.total_seconds():.0f}",
        )
        parser.add_argument("--standby", action="store_true", help="ask DATABASE_REPLICA_URL")
        parser.add_argument("--json", action="store_true", help="print JSON instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        display = Display(self.stdout)
        findings = _findings(display, options)
        violated = [finding.code for finding in findings if finding.violations]
        if options["json"]:
            display.json(findings, order=options["order"], standby=options["standby"])
        else:
            display.samples(findings)
        if violated:
            raise CommandError(
                f"{len(violated)} of {len(findings)} invariants are violated: "
                f"{', '.join(violated)}.",
                returncode=_VIOLATED,
            )


def _findings(display: Display, options: dict[str, Any]) -> Sequence[Finding]:
    audit = {
        "now": timezone.now(),
        "grace": options["grace"],
        "number": options["order"] and options["order"].upper(),
    }
    try:
        with _asked(standby=options["standby"]) as database:
            if options["json"]:
                return run_audit(**audit, connection=database)
            with display.lines() as show:
                return run_audit(**audit, connection=database, on_finding=show)
    except (UnknownOrder, NoStandby) as error:
        raise CommandError(str(error), returncode=_COULD_NOT_RUN) from error
    except (DatabaseError, InterfaceError) as error:
        raise CommandError(_explain(error), returncode=_COULD_NOT_RUN) from error
    except KeyboardInterrupt:
        raise CommandError("Interrupted.", returncode=_INTERRUPTED) from None


@contextmanager
def _asked(*, standby: bool) -> Iterator[BaseDatabaseWrapper]:
    if not standby:
        yield connection
        return
    with standby_connection() as database:
        yield database


def _explain(error: DatabaseError | InterfaceError) -> str:
    if isinstance(error, DatabaseError) and sqlstate(error) == _RECOVERY_CONFLICT:
        return (
            "The standby ended the audit, because the primary changed what it was reading "
            "(a recovery conflict). Run it again, or without --standby."
        )
    return f"The database: {str(error).splitlines()[0]}"


def _seconds(text: str) -> timedelta:
    try:
        grace = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not timedelta(0) <= grace <= timedelta(days=365):
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and a year")
    return grace
