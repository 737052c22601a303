"""docs/faults.md: what the trials found, a line a row, and what the planted bugs broke."""

import json
import os
from typing import Any

from deploy.processes import ROOT

_DATA, _PAGE = ROOT / "docs" / "faults.json", ROOT / "docs" / "faults.md"

_HEAD = f"""# Faults

What was broken while the shop sold, and what came of it. Written by the suite itself:
`make chaos ORDERS=1000 RECORD=1` for the trials, `.venv/bin/python -m chaos.planted` for the
column of planted bugs. Real processes and servers on one machine with {os.cpu_count()}
cores.

A trial counts as sound when, after it, every order that was answered with 201 is there, every
order is confirmed, cancelled or a dead letter that a person can see, `manage.py audit` finds
nothing, no unit was sold twice and no mail arrived twice. *Faults* are what was killed, cut or
refused; *absorbed* are deliveries that came again and changed nothing; *recovery* is the time
from the end of the last fault until nothing was on its way any more. None of n orders means at
most 3/n with 95 % confidence: the *bound*, for an order of such a run, whether or not the fault
met it. A row that failed has none.

"""
_COLUMNS = (
    "row", "fault", "must hold", "faults", "orders", "lost", "oversold", "duplicate mails",
    "bound", "absorbed", "recovery", "planted bug, and how it was noticed",
)  # fmt: skip


def record_trial(number: int, facts: dict[str, Any]) -> None:
    """Put a trial in the place of the row's last one."""
    _change("trials", number, facts)


def record_planted(number: int, outcomes: list[str]) -> None:
    """Put what was planted for a row in the place of what was planted last."""
    _change("planted", number, outcomes)


def _change(kind: str, number: int, value: Any) -> None:
    data = json.loads(_DATA.read_text()) if _DATA.exists() else {"trials": {}, "planted": {}}
    data[kind][str(number)] = value
    data[kind] = dict(sorted(data[kind].items(), key=lambda item: int(item[0])))
    _DATA.write_text(json.dumps(data, indent=1) + "\n")
    _PAGE.write_text(_page(data))


def _page(data: dict[str, Any]) -> str:
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    details = ["", "## Figures of each trial", ""]
    for number, trial in data["trials"].items():
        planted = "; ".join(data["planted"].get(number, []))
        lines.append(_line(_cells(number, trial, planted)))
        figures = ", ".join(f"{name} {value}" for name, value in trial["figures"].items())
        details.append(f"* **{number}** (seed {trial['seed']}; {trial['versions']}): {figures}")
    return _HEAD + "\n".join([*lines, *details]) + "\n"


def _cells(number: str, trial: dict[str, Any], planted: str) -> list[object]:
    orders = trial["orders"]
    bound = f"{3 / orders:.1%}" if orders and not trial["failures"] else ""
    sound = "" if not trial["failures"] else f" **{'; '.join(trial['failures'][:3])}**"
    return [
        number, trial["fault"], trial["holds"] + sound, trial["faults"], trial["orders"],
        trial["lost"],
        trial["oversold"], trial["duplicates"], bound,
        trial["absorbed"], f"{trial['recovery']:.1f} s", planted,
    ]  # fmt: skip


def _line(cells: Any) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
