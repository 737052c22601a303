"""`python -m chaos.planted [--row N ...]`: each row seen to fail when its protection is gone.

Copies the shop, takes one protection out of the copy, runs the row there, and expects it to
fail. The bugs are in chaos/plants.toml. Exit status 1 if one is not noticed.
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

from chaos.report import record_planted
from deploy.embedded import Servers
from deploy.processes import ROOT

_PLANTS = ROOT / "chaos" / "plants.toml"
_LEFT_OUT = shutil.ignore_patterns("var", ".venv", ".git", "__pycache__", ".*_cache")


def main() -> int:
    """Try every bug of the rows that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m chaos.planted", description=__doc__)
    parser.add_argument("--row", type=int, action="append", help="only of this row; repeatable")
    parser.add_argument("--dir", type=Path, default=ROOT / "var" / "planted")
    arguments = parser.parse_args()
    plants = tomllib.loads(_PLANTS.read_text())["plant"]
    chosen = [one for one in plants if not arguments.row or one["row"] in arguments.row]
    servers = Servers(arguments.dir)
    servers.up(rabbitmq=True)  # once for all of them
    try:
        outcomes = [_try(plant, arguments.dir) for plant in chosen]
    finally:
        servers.down()
    for row in {plant["row"] for plant in chosen}:
        record_planted(row, [text for plant, _, text in outcomes if plant["row"] == row])
    noticed = sum(is_noticed for _, is_noticed, _ in outcomes)
    sys.stdout.write(f"{noticed} of {len(chosen)} planted bugs were noticed\n")
    return int(noticed < len(chosen))


def _try(plant: dict[str, Any], directory: Path) -> tuple[dict[str, Any], bool, str]:
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "shop"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        source = copy / plant["file"]
        sound = source.read_text()
        if sound.count(plant["old"]) != 1:
            raise SystemExit(f"{plant['bug']}: {plant['file']} does not hold the code once")
        source.write_text(sound.replace(plant["old"], plant["new"]))
        failures = _run_row(plant, copy, directory)
    word = "noticed " if failures else "SURVIVED"
    sys.stdout.write(f"{plant['row']:3} {word} {plant['bug']}: {', '.join(failures[:2])}\n")
    sys.stdout.flush()
    return plant, bool(failures), f"{plant['bug']}: {failures[0] if failures else 'SURVIVED'}"


def _run_row(plant: dict[str, Any], copy: Path, directory: Path) -> list[str]:
    """What the row complained about; nothing, if it held."""
    command = [sys.executable, "-m", "chaos", "--row", str(plant["row"])]
    command += ["--orders", str(plant.get("orders", 40)), "--dir", str(directory)]
    done = subprocess.run(  # noqa: S603 our own suite
        command, cwd=copy, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1) or "rows held" not in done.stdout:
        raise SystemExit(f"{plant['bug']}: the row could not run\n{done.stderr[-2000:]}")
    return re.findall(r"^ {11}! (.*)", done.stdout, flags=re.MULTILINE)


if __name__ == "__main__":
    sys.exit(main())
