"""What a long command shows: a bar and a table on a terminal, plain lines everywhere else."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeElapsedColumn
from rich.table import Table

_INTERVAL = 5.0  # seconds between two plain lines
_SHOWN = 5  # problems of one kind; the first ones tell what is wrong


class Display:
    """Where the command writes, and how."""

    def __init__(self, out: OutputWrapper, err: OutputWrapper) -> None:
        self._out = out
        self._err = err
        self._console = Console() if out.isatty() else None

    def say(self, line: str) -> None:
        self._out.write(line)

    def complain(self, line: str) -> None:
        self._err.write(line)

    @contextmanager
    def progress(self) -> Iterator["Steps"]:
        """For as long as it is open, its `show` says how far the work is."""
        if self._console is None:
            yield PlainSteps(self._out)
            return
        with Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        ) as progress:
            yield Bars(progress)

    def table(self, rows: Mapping[str, str]) -> None:
        if self._console is None:
            width = max(len(name) for name in rows)
            for name, value in rows.items():
                self._out.write(f"{name:<{width}}  {value}")
            return
        table = Table(show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value in rows.items():
            table.add_row(name, value)
        self._console.print(table)

    def problems(self, name: str, problems: Sequence[str]) -> None:
        for problem in problems[:_SHOWN]:
            self.complain(f"{name}: {problem}")
        if len(problems) > _SHOWN:
            self.complain(f"{name}: and {len(problems) - _SHOWN} more")


class Steps:
    """How far each step of the work is."""

    def show(self, step: str, *, done: int, total: int) -> None:
        raise NotImplementedError


class Bars(Steps):
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def show(self, step: str, *, done: int, total: int) -> None:
        if step not in self._bars:
            self._bars[step] = self._progress.add_task(step, total=total)
        self._progress.update(self._bars[step], completed=done)


class PlainSteps(Steps):
    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._last = ""
        self._next = time.monotonic()

    def show(self, step: str, *, done: int, total: int) -> None:
        """One line every few seconds, and one when the step is complete."""
        line = f"{step}: {done} of {total}"
        if line != self._last and (done == total or time.monotonic() >= self._next):
            self._out.write(line)
            self._last, self._next = line, time.monotonic() + _INTERVAL
