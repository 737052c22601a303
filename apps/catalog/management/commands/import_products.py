"""manage.py import_products: suppliers' files, brought into the shop."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from apps.catalog.importing.offers import MOST_UNITS
from apps.catalog.importing.run import Report, import_products
from shop.display import Display
from shop.json_lines import Unreadable

_INTERRUPTED = 130  # what a shell reports for Ctrl-C


class Command(BaseCommand):
    help = (
        "Brings the products of JSON lines files (Icecat's or Luma's, gzip or not) into the "
        "shop: makes what is missing and brings up to date what is there, found by its SKU. A "
        "second run changes nothing, and one that was killed is simply started again. A line "
        "that is no product is left out and named; the others are imported all the same. Ends "
        "with 0 only if every line could be taken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="path", help="JSON lines")
        parser.add_argument(
            "--stock",
            type=_units,
            default=0,
            help="opening stock of each variant that the file gives none for and that nothing "
            "was ever booked for; default 0: it is sold out until a delivery is booked",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, keep nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        display = Display(self.stdout, self.stderr)
        report = self._import(options, display)
        for problem in report.problems:
            display.complain(problem)
        if report.lines_left_out > len(report.problems):
            display.complain(f"And {report.lines_left_out - len(report.problems)} more.")
        if options["dry_run"]:
            display.say("A dry run: nothing was changed. Otherwise it would have been:")
        display.table(_rows(report))
        if report.lines_left_out:
            raise CommandError(f"Lines left out: {report.lines_left_out}.")

    def _import(self, options: dict[str, Any], display: Display) -> Report:
        try:
            with display.progress() as steps:
                return import_products(
                    options["paths"],
                    units=options["stock"],
                    is_trial=options["dry_run"],
                    clock=timezone.now,
                    progress=lambda path, done, total: steps.show(
                        path.name, done=done, total=total
                    ),
                    waiting=lambda: display.say("Another import is running here: waiting."),
                )
        except Unreadable as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database: {str(error).splitlines()[0]}") from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. The next run goes on where this one stopped.",
                returncode=_INTERRUPTED,
            ) from None


def _rows(report: Report) -> dict[str, str]:
    return {
        "products made": str(report.products_made),
        "products brought up to date": str(report.products_changed),
        "products that were up to date": str(report.products_unchanged),
        "variants made": str(report.variants_made),
        "units of opening stock booked": str(report.units_received),
        "names that were too long and cut": str(report.names_cut),
        "lines left out": str(report.lines_left_out),
    }


def _units(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MOST_UNITS:
        raise argparse.ArgumentTypeError(f"{text} is not 0 to {MOST_UNITS}")
    return number
