"""What the commands of this package share: which rows there are, and what a row prints."""

import argparse
import re
import shutil
import sys
from pathlib import Path

from deploy.processes import ROOT

# How a row's complaint begins when the suite itself failed, and the shop may be sound.
BROKEN_OFF = "broken off"
_NEEDS_GO = 38  # its proxy is built with it


def row_numbers() -> list[int]:
    """All rows. From their sources: to import them needs a shop that is set up."""
    sources = (ROOT / "chaos" / "rows").glob("*.py")
    return sorted(
        int(number)
        for source in sources
        for number in re.findall(r"^@row\(\s*(\d+),", source.read_text(), flags=re.MULTILINE)
    )


def refuse_unknown_rows(parser: argparse.ArgumentParser, wanted: list[int] | None) -> None:
    """End with exit status 2 if there is no such row."""
    numbers = row_numbers()
    if unknown := set(wanted or []) - set(numbers):
        known = ", ".join(map(str, numbers))
        parser.error(f"no such row: {min(unknown)}; there are {known}")


def chosen_rows(wanted: list[int] | None, *, directory: Path) -> list[int]:
    """Those wanted, or all that can be tried here; says so when that is not every one.

    Ends with exit status 2 when one that is wanted cannot be tried.
    """
    missing = shutil.which("go") is None and not (directory / "toxiproxy" / "server").exists()
    why = f"row {_NEEDS_GO} needs toxiproxy, and there is no go on PATH to build it with"
    if wanted:
        if missing and _NEEDS_GO in wanted:
            sys.stderr.write(f"{why}\n")
            raise SystemExit(2)
        return wanted
    if not missing:
        return row_numbers()
    sys.stdout.write(f"{why}: left out\n")
    return [number for number in row_numbers() if number != _NEEDS_GO]
