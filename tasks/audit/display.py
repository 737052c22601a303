"""What an audit shows: colored lines over a bar on a terminal, plain lines everywhere else."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.text import Text

from tasks.audit.run import INVARIANTS, Finding

_TITLE_WIDTH = max(len(invariant.title) for invariant in INVARIANTS)


class Display:
    """Where the command writes, and how."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._console = Console() if out.isatty() else None

    @contextmanager
    def lines(self) -> Iterator[Callable[[Finding], None]]:
        """For as long as it is open, shows each finding that it is called with."""
        if self._console is None:
            yield lambda finding: self._out.write(_line(finding))
            return
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            bar = progress.add_task("audit", total=len(INVARIANTS))

            def show(finding: Finding) -> None:
                # Text: in a SKU, brackets are no markup.
                progress.console.print(Text(_line(finding), style=_style(finding)))
                progress.advance(bar)

            yield show

    def samples(self, findings: Sequence[Finding]) -> None:
        """What is wrong, the first violations of each invariant."""
        for finding in findings:
            if finding.violations:
                self._out.write("")
                self._out.write(f"{finding.code} {finding.title}, violated:")
            for sample in finding.samples:
                self._out.write(f"  {sample}")
            if finding.violations > len(finding.samples):
                self._out.write(f"  and {finding.violations - len(finding.samples):,} more")

    def json(self, findings: Sequence[Finding], **about: Any) -> None:
        found = [asdict(finding) for finding in findings]
        self._out.write(json.dumps({**about, "invariants": found}, indent=2))


def _line(finding: Finding) -> str:
    verdict = f"{finding.violations:,} VIOLATED" if finding.violations else "ok"
    figures = ", ".join(_figure(name, number) for name, number in finding.figures.items())
    title = f"{finding.code:<3} {finding.title:<{_TITLE_WIDTH}}"
    return f"{title}  {verdict:<10}  {figures}  {finding.seconds:.2f} s"


def _figure(plural: str, number: int) -> str:
    name = plural.removesuffix("s") if number == 1 else plural
    return f"{number:,} {name}"


def _style(finding: Finding) -> str:
    return "bold red" if finding.violations else "green"
