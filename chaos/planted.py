"""`python -m chaos.planted [--row N ...]`: each row seen to fail when its protection is gone.

Copies the shop, takes one protection out of the copy, runs the row there, and expects it to
fail. The bugs are in chaos/plants.toml; one that a second protection would absorb takes that
out `also`. Exit status 1 if one is not noticed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from chaos.command_line import BROKEN_OFF, refuse_unknown_rows
from chaos.report import record_planted
from deploy.embedded import Servers
from deploy.processes import ROOT

_PLANTS = ROOT / "chaos" / "plants.toml"
_TIMEOUT = 900  # seconds
_LEFT_OUT = shutil.ignore_patterns("var", ".venv*", ".git", "__pycache__", ".*_cache")


def main() -> int:
    """Try every bug of the rows that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m chaos.planted", description=__doc__)
    parser.add_argument("--row", type=int, action="append", help="only of this row; repeatable")
    parser.add_argument("--dir", type=Path, default=ROOT / "var" / "planted")
    arguments = parser.parse_args()
    refuse_unknown_rows(parser, arguments.row)
    directory = arguments.dir.resolve()
    chosen = [one for one in all_plants() if not arguments.row or one["row"] in arguments.row]
    servers = Servers(directory)
    servers.up(rabbitmq=True)  # once for all of them
    try:
        noticed = _try_all(chosen, directory)
    finally:
        servers.down()
    sys.stdout.write(f"{noticed} of {len(chosen)} planted bugs were noticed\n")
    return int(noticed < len(chosen))


def all_plants() -> list[dict[str, Any]]:
    """The bugs that can be planted, as they stand in the file."""
    return tomllib.loads(_PLANTS.read_text())["plant"]  # type: ignore[no-any-return]


def changes(plant: dict[str, Any]) -> list[dict[str, Any]]:
    """What it changes in the copy: its own place, and those of the protections behind it."""
    return [plant, *plant.get("also", [])]


def _try_all(plants: list[dict[str, Any]], directory: Path) -> int:
    """How many were noticed; each is recorded at once, for who stops the rest."""
    noticed = 0
    outcomes: dict[int, list[str]] = {}
    for plant in plants:
        complaint = _try(plant, directory)
        noticed += complaint is not None
        row = outcomes.setdefault(plant["row"], [])
        row.append(f"{plant['bug']}: {_first_violation(complaint or 'SURVIVED')}")
        record_planted(plant["row"], row)
    return noticed


def _first_violation(complaint: str) -> str:
    """The complaint without what the audit lists after its first violation; it names the count.

    Each has a subject, one word, and a problem, which may have semicolons of its own.
    """
    return re.split(r"; \S+: ", complaint, maxsplit=1)[0]


def _try(plant: dict[str, Any], directory: Path) -> str | None:
    """The complaint that shows that the row noticed this bug."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "shop"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        for change in changes(plant):
            _change(copy / change["file"], change)
        failures = _run_row(plant, copy, directory)
    telling = [one for one in failures if _tells(plant, one)]
    word = "noticed " if telling else "SURVIVED"
    shown = ", ".join((telling or failures)[:2])
    sys.stdout.write(f"{plant['row']:3} {word} {plant['bug']}: {shown}\n")
    sys.stdout.flush()
    return telling[0] if telling else None


def _change(source: Path, change: dict[str, Any]) -> None:
    sound = source.read_text()
    if sound.count(change["old"]) != 1:
        raise SystemExit(f"{change['file']} does not hold this once:\n{change['old']}")
    source.write_text(sound.replace(change["old"], change["new"]))


def _tells(plant: dict[str, Any], complaint: str) -> bool:
    """Whether it is about the bug: a suite that failed by itself has noticed nothing."""
    about = re.search(plant.get("expect", ""), complaint) is not None
    return about and not complaint.startswith(BROKEN_OFF)


def _run_row(plant: dict[str, Any], copy: Path, directory: Path) -> list[str]:
    """What the row complained about; nothing, if it held."""
    command = [sys.executable, "-m", "chaos", "--row", str(plant["row"])]
    command += ["--orders", str(plant.get("orders", 40)), "--dir", str(directory)]
    with subprocess.Popen(  # noqa: S603 our own suite
        command, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            printed, errors = run.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            run.terminate()  # in order, so that it ends its own processes
            run.communicate()
            return [f"{BROKEN_OFF}: no end within {_TIMEOUT} s"]
    if run.returncode not in (0, 1) or "rows held" not in printed:
        raise SystemExit(f"{plant['bug']}: the row could not run\n{errors[-2000:]}")
    return re.findall(r"^ {11}! (.*)", printed, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main())
