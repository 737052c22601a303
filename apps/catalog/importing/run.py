"""An import from the first line of the first file to the last of the last."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from apps.catalog.importing.offers import OfferedProduct
from apps.catalog.importing.reading import Line, Reader, count_lines
from apps.catalog.importing.writing import Written, write
from apps.catalog.search.vocabulary import refresh_vocabulary
from shop.alone import alone
from shop.batches import batched

# A transaction each: what a killed import has done so far stays, whole products only.
BATCH = 500

_LOCK = 7_263_502  # any number that nothing else in this database locks
_KEPT = 20  # problems; the first ones tell what is wrong


@dataclass(kw_only=True)
class Report:
    """What an import did. Of the problems, the first ones in words."""

    products_made: int = 0
    products_changed: int = 0
    products_unchanged: int = 0
    variants_made: int = 0
    units_received: int = 0
    names_cut: int = 0
    lines_left_out: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, written: Written) -> None:
        self.products_made += written.products_made
        self.products_changed += written.products_changed
        self.products_unchanged += written.products_unchanged
        self.variants_made += written.variants_made
        self.units_received += written.units_received

    def leave_out(self, path: Path, line_number: int, reason: str) -> None:
        self.lines_left_out += 1
        if len(self.problems) < _KEPT:
            self.problems.append(f"{path.name}, line {line_number}: {reason}.")


Progress = Callable[[Path, int, int], None]  # file, lines done, lines in all


def import_products(
    paths: Sequence[Path],
    *,
    units: int,
    is_trial: bool,
    clock: Callable[[], datetime],
    progress: Progress,
    waiting: Callable[[], None],
) -> Report:
    """Bring what the files offer into the shop, one import at a time, and count its words anew.

    `units` is the opening stock of what the files give none for; a trial keeps nothing.
    Raises Unreadable before anything is changed if a file is damaged in any place.
    """
    lengths = {path: count_lines(path) for path in paths}
    report, reader, claimed = Report(), Reader(), set[int]()
    with alone(_LOCK, waiting=waiting):
        for path in paths:
            done = 0
            for batch in batched(reader.read(path), size=BATCH):
                offers = _sort_out(batch, path, report)
                with _batch_transaction(is_trial=is_trial):
                    written = write(
                        list(offers.values()), claimed=claimed, units=units, now=clock()
                    )
                report.add(written)
                numbers = list(offers)
                for place, reason in written.refused.items():
                    report.leave_out(path, numbers[place], reason)
                done += len(batch)
                progress(path, done, lengths[path])
    if not is_trial:
        # Also when nothing was changed: the run before may have died here.
        refresh_vocabulary()
    return report


def _sort_out(batch: list[Line], path: Path, report: Report) -> dict[int, OfferedProduct]:
    """The batch's offers by line number; its broken lines go into the report."""
    offers = {}
    for line_number, found in batch:
        if isinstance(found, str):
            report.leave_out(path, line_number, found)
        else:
            report.names_cut += found.name_is_cut
            offers[line_number] = found
    return offers


@contextmanager
def _batch_transaction(*, is_trial: bool) -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Longer than a page may take: a batch has hundreds of rows, and search their words.
            cursor.execute("SET LOCAL statement_timeout = '60s'")
        yield
        transaction.set_rollback(is_trial)
