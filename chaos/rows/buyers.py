"""Shoppers who click twice, change their minds, or all want the same."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from apps.orders.models import Order, Status
from chaos.clients import Answer, Shopper, Wish
from chaos.rows.row import row
from chaos.trial import CLIENTS, Trial
from chaos.verdict import units_bought

_CLICKS = 16


@row(29, "16 clicks at once, with one key or with 16 on one cart", holds="one order each")
def clicked_often(trial: Trial) -> None:
    (product,) = trial.stock(_CLICKS * trial.orders, products=1)
    for n in range(trial.orders):
        shopper, wish = trial.shopper(), Wish(items={product: 1})
        shopper.prepare(wish.items)
        other_keys = [Wish(items=wish.items) for _ in range(_CLICKS)]
        wishes = [wish] * _CLICKS if n % 2 else other_keys
        answers: list[Answer] = []
        _at_once([_click(shopper.copy(), one, answers) for one in wishes])
        placed = {answer.order_number for answer in answers if answer.order_number}
        trial.require(len(placed) == 1, f"{len(placed)} orders of one cart")
        trial.require(len(answers) == _CLICKS, f"{len(answers)} answers")
        strange = [one for one in answers if not _is_fair(one)]
        trial.require(not strange, f"unfair answers, the first {strange[:1]}")
        trial.wishes += [one for one in wishes if one.order_number][:1]
    trial.settle()
    trial.count_faults(trial.orders * (_CLICKS - 1))
    trial.report_checkouts()
    trial.all_placed()


def _click(shopper: Shopper, wish: Wish, answers: list[Answer]) -> Callable[[], None]:
    def click() -> None:
        answers.append(shopper.check_out(wish))

    return click


def _is_fair(answer: Answer) -> bool:
    """Whether a click of many may be answered so."""
    return answer.status in (201, 409) or (answer.status, answer.code) == (400, "empty_cart")


def _at_once(calls: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@row(30, "cancellation races the pipeline", holds="one wins; stock comes back once")
def cancelled_meanwhile(trial: Trial) -> None:
    wishes = trial.make_wishes(products=trial.stock(3 * trial.orders))
    trial.wishes += wishes
    waiting = iter(wishes)
    lock = threading.Lock()
    answers: Counter[object] = Counter()

    def shop() -> None:
        shopper = trial.shopper()
        while True:
            with lock:
                wish = next(waiting, None)
                pause = trial.random.uniform(0, 0.1)
            if wish is None:
                return
            shopper.buy(wish, until=time.monotonic() + 30)
            time.sleep(pause)
            answers[shopper.cancel(str(wish.order_number))] += 1

    _at_once([shop] * CLIENTS)
    trial.settle()
    trial.count_faults(trial.orders)
    trial.all_placed()
    trial.require(set(answers) == {200}, f"answers to the cancellations: {dict(answers)}")
    late = Order.objects.filter(status_changes__new=Status.CONFIRMED).count()
    trial.figure("cancelled before, after the confirmation", f"{trial.orders - late}, {late}")
    left = Order.objects.exclude(status=Status.CANCELLED).count()
    trial.require(left == 0, f"{left} orders not cancelled")


@row(31, "many more buyers than units", holds="not a unit too many, and not one too few")
def stormed(trial: Trial) -> None:
    buyers = max(40, trial.orders)
    units = buyers // 8
    (single,) = trial.stock(units, products=1)
    mixed = trial.stock(units, products=4)
    wishes = [Wish(items={single: 1}) for _ in range(buyers // 2)]
    wishes += trial.make_wishes(buyers - len(wishes), products=mixed)
    trial.wishes += wishes
    _storm(trial, wishes)
    trial.settle()
    refused = sum(wish.was_refused for wish in wishes)
    trial.count_faults(refused)
    trial.report_checkouts()
    placed = sum(wish.order_number is not None for wish in wishes)
    trial.require(placed + refused == len(wishes), "neither sold nor refused")
    trial.figure("sold, refused", f"{placed}, {refused}")
    sold = units_bought(single)
    trial.require(sold == units, f"{sold} of {units} units sold to {buyers // 2} buyers")


def _storm(trial: Trial, wishes: Sequence[Wish]) -> None:
    # Somebody new for each: what was refused stays in a cart, and would spoil the next wish.
    ready = iter([(trial.shopper(), wish) for wish in wishes])
    until = time.monotonic() + 120 + len(wishes) / 5
    lock = threading.Lock()

    def storm() -> None:
        while True:
            with lock:
                shopper, wish = next(ready, (None, None))
            if shopper is None or wish is None:
                return
            shopper.buy(wish, until=until)

    _at_once([storm] * 32)
