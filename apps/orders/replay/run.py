"""A replay from the first order to the last check."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.orders.replay.placing import Outcome, Pace, place_all
from apps.orders.replay.preparation import find_earlier, only_replay, prepare
from apps.orders.replay.reader import Invoice
from apps.orders.replay.report import Check, Figures, confirmation_times, figures, verify
from apps.orders.replay.watching import Backlog, wait_for_pipeline
from shop.display import Display


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a replay did, and what the checks found afterwards."""

    outcome: Outcome
    backlog: Backlog
    figures: Figures
    checks: list[Check]
    placing_seconds: float
    seconds: float  # from the first order to the last e-mail
    confirmation_times: list[timedelta]  # of the orders that this run placed


def replay(
    sales: Sequence[Invoice],
    *,
    pace: Pace,
    patience: float,
    clock: Callable[[], datetime],
    display: Display,
) -> Result:
    """Place what is not there yet, wait for the pipeline, and compare shop and file.

    `patience` is how many seconds the pipeline may stand still before it is given up.
    """
    with only_replay(waiting=lambda: display.say("Another replay is running here: waiting.")):
        earlier = find_earlier(sales)
        known = earlier.orders.keys() | earlier.differing.keys()
        to_place = [sale for sale in sales if sale.number not in known]
        stage = prepare(sales, to_place=to_place, now=clock())
        started = time.monotonic()
        with display.progress() as steps:
            outcome = place_all(
                to_place,
                stage=stage,
                pace=pace,
                clock=clock,
                progress=lambda done: steps.show("placed", done=done, total=len(to_place)),
            )
            placed_at = time.monotonic()
            outcome.earlier.update(earlier.orders)
            outcome.refused.update(earlier.differing)
            ids = list(outcome.orders.values())
            backlog = wait_for_pipeline(
                ids,
                patience=patience,
                progress=lambda done: steps.show("confirmed", done=done, total=len(ids)),
            )
        ended = time.monotonic()
        return Result(
            outcome=outcome,
            backlog=backlog,
            figures=figures(outcome.orders),
            checks=[
                _placing(outcome),
                *verify(sales, orders=outcome.orders, variants=stage.variants),
            ],
            placing_seconds=placed_at - started,
            seconds=ended - started,
            confirmation_times=confirmation_times(list(outcome.placed.values())),
        )


def _placing(outcome: Outcome) -> Check:
    return Check(
        name="placing",
        covered=f"{len(outcome.orders)} sales, an order each",
        problems=[f"{number}: {reason}" for number, reason in outcome.refused.items()],
    )
