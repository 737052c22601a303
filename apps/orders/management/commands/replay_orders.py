"""manage.py replay_orders: a file of real invoices, placed as orders of this shop."""

import argparse
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from apps.orders.replay.placing import Pace
from apps.orders.replay.reader import Contents, Invoice, Kind, read
from apps.orders.replay.report import Check
from apps.orders.replay.run import Result, replay
from shop.display import Display
from shop.json_lines import Unreadable
from shop.percentiles import percentile

_INTERRUPTED = 130  # what a shell reports for Ctrl-C
_MOST_THREADS = 32  # each holds a database connection


class Command(BaseCommand):
    help = (
        "Places the sales of a file through checkout, waits until the pipeline has confirmed "
        "them, and compares shop and file. A second run places nothing twice. Relay and "
        "workers must be running. Ends with 0 only if every line of the file could be read, "
        "every sale is confirmed and everything agrees; one bad line stops no other."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="JSON lines, gzip or not")
        parser.add_argument("--limit", type=_whole, help="place the first N sales only")
        parser.add_argument("--threads", type=_threads, default=4, help="1 to 32; default 4")
        parser.add_argument("--rate", type=_amount, default=0.0, help="orders a second")
        parser.add_argument(
            "--timeout",
            type=_amount,
            default=120.0,
            help="seconds that the pipeline may stand still; default 120",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read and check the file, touch nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        display = Display(self.stdout, self.stderr)
        try:
            contents = read(options["path"])
        except Unreadable as error:
            raise CommandError(str(error)) from error
        for broken in contents.broken:
            display.complain(f"line {broken.line_number}: {broken.reason}")
        sales = contents.of_kind(Kind.SALE)[: options["limit"]]
        display.table(_file_rows(sales, contents))
        faults = [f"{len(contents.broken)} broken lines"] if contents.broken else []
        if not options["dry_run"]:
            result = self._replay(sales, display, options)
            display.table(_result_rows(result))
            for check in result.checks:
                display.problems(check.name, check.problems)
            faults += _faults(result)
        if faults:
            raise CommandError(f"Not everything agrees: {'; '.join(faults)}.")

    def _replay(
        self, sales: Sequence[Invoice], display: Display, options: dict[str, Any]
    ) -> Result:
        try:
            return replay(
                sales,
                pace=Pace(threads=options["threads"], rate=options["rate"]),
                patience=options["timeout"],
                clock=timezone.now,
                display=display,
            )
        except DatabaseError as error:
            raise CommandError(f"The database: {str(error).splitlines()[0]}") from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. The next run goes on where this one stopped.",
                returncode=_INTERRUPTED,
            ) from None


def _file_rows(sales: Sequence[Invoice], contents: Contents) -> dict[str, str]:
    """What would be placed, and what is only counted."""
    lines = [line for sale in sales for line in sale.lines]
    return {
        "sales to place": str(len(sales)),
        "their items": str(len(lines)),
        "their units": str(sum(line.quantity for line in lines)),
        "their value": str(sum((sale.total for sale in sales), Decimal("0.00"))),
        "SKUs": str(len({line.sku.lower() for line in lines})),
        "customers": str(len({sale.customer for sale in sales})),
        "cancellations (not placed)": str(len(contents.of_kind(Kind.CANCELLATION))),
        "stock adjustments (not placed)": str(len(contents.of_kind(Kind.STOCK_ADJUSTMENT))),
        "broken lines (not placed)": str(len(contents.broken)),
    }


def _result_rows(result: Result) -> dict[str, str]:
    outcome, figures, times = result.outcome, result.figures, result.confirmation_times
    placed = len(outcome.placed)
    return {
        "orders": str(len(outcome.orders)),
        "placed by this run": str(placed),
        "placed by an earlier run": str(len(outcome.earlier)),
        "items": str(figures.items),
        "units": str(figures.units),
        "value": str(figures.value),
        "confirmed": str(figures.confirmed),
        "e-mails sent": str(figures.emails),
        "their stock movements": str(figures.movements),
        "time to place": _pace(placed, result.placing_seconds),
        "time to the last e-mail": _pace(placed, result.seconds),
        "commit to confirmed, p50": _seconds(percentile(times, 50)) if times else "-",
        "commit to confirmed, p95": _seconds(percentile(times, 95)) if times else "-",
        **{check.name: _verdict(check) for check in result.checks},
    }


def _pace(orders: int, seconds: float) -> str:
    return f"{seconds:.1f} s, {orders / seconds:.1f} orders a second" if orders else "-"


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.2f} s"


def _verdict(check: Check) -> str:
    return (
        f"{len(check.problems)} differences" if check.problems else f"agree ({check.covered})"
    )


def _faults(result: Result) -> list[str]:
    """In a few words, why this replay has failed."""
    faults = []
    if result.backlog:
        pending, unsent = result.backlog.pending, result.backlog.unsent
        faults.append(
            f"{pending} orders still pending, {unsent} e-mails still unsent "
            "(are relay and workers running?)"
        )
    faults += [
        f"{len(check.problems)} differences in {check.name}"
        for check in result.checks
        if check.problems
    ]
    return faults


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _threads(text: str) -> int:
    number = _whole(text)
    if number > _MOST_THREADS:
        raise argparse.ArgumentTypeError(f"{text} is more than {_MOST_THREADS}")
    return number


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of 0 or more")
    return number
