"""Runs rows one after another and tells what each found."""

import argparse
import time
import traceback
from dataclasses import asdict

from rich.console import Console

from chaos.command_line import BROKEN_OFF
from chaos.report import record_trial
from chaos.rows import ROWS
from chaos.rows.row import Row
from chaos.trial import Trial
from chaos.verdict import Verdict
from chaos.world import World


def run_rows(world: World, console: Console, arguments: argparse.Namespace) -> int:
    """0 if every row held, 1 if not."""
    console.print(f"seed {arguments.seed}, {arguments.orders} orders a row")
    verdicts = {n: _run(ROWS[n], world, console, arguments) for n in arguments.row}
    failed = {n: verdict for n, verdict in verdicts.items() if verdict.failures}
    for number, verdict in failed.items():  # once more: a long log may be cut at its beginning
        console.print(f"{number:3} FAILED {verdict.failures[0]}", style="red", markup=False)
    console.print(f"{len(verdicts) - len(failed)} of {len(verdicts)} rows held")
    return int(bool(failed))


def _run(row: Row, world: World, console: Console, arguments: argparse.Namespace) -> Verdict:
    started = time.monotonic()
    orders = min(arguments.orders, 200) if row.is_slow else arguments.orders
    trial = Trial(world, orders=orders, seed=arguments.seed)
    try:
        world.reset()
        row.run(trial)
    except Exception as error:  # noqa: BLE001 the other rows are still to be tried
        trial.verdict.failures.append(f"{BROKEN_OFF}: {type(error).__name__}: {error}")
        console.print(traceback.format_exc(), markup=False, style="dim")
    _tell(row, trial.verdict, console, seconds=time.monotonic() - started)
    if arguments.record:
        about = {"fault": row.fault, "holds": row.holds, "seed": arguments.seed}
        facts = about | {"versions": world.versions()} | asdict(trial.verdict)
        record_trial(row.number, facts)
    return trial.verdict


def _tell(row: Row, verdict: Verdict, console: Console, *, seconds: float) -> None:
    word = "FAILED" if verdict.failures else "held"
    console.print(
        f"{row.number:3} {word:6} {row.fault}: faults {verdict.faults},"
        f" orders {verdict.orders}, lost {verdict.lost}, oversold {verdict.oversold},"
        f" duplicates {verdict.duplicates},"
        f" absorbed {verdict.absorbed}, recovery {verdict.recovery:.1f} s ({seconds:.0f} s)",
        style="bold red" if verdict.failures else None,
    )
    figures = ", ".join(f"{name} {value}" for name, value in verdict.figures.items())
    console.print(f"           {figures}", style="dim")
    for failure in verdict.failures[:10]:
        console.print(f"           ! {failure}", style="red", markup=False)
