"""Workers that are killed, told to end, poisoned or frozen."""

import os
import signal
import time
from collections import Counter

from apps.orders.models import Order, Status
from chaos.faults import plan
from chaos.rows.row import row
from chaos.trial import Trial
from chaos.world import workers_are_ready
from deploy.embedded.process import is_running
from shop.mail.models import OutgoingEmail
from tasks.base import POISON_LIMIT
from tasks.models import SWEEPER, DeadLetter, Heartbeat

_ORDER_POINTS = ("before", "before_commit", "after_commit", "after", "published")


@row(
    7,
    "worker SIGKILLed before, in and after each task, before the ack",
    holds="redelivered, every effect once",
)
def killed_everywhere(trial: Trial) -> None:
    points = {
        f"{task}__{point}": 0.05
        for task in ("update_inventory", "confirm")
        for point in _ORDER_POINTS
    }
    # Each of these ends all of the e-mail worker, which then needs seconds to come back.
    emails = {f"send_order_confirmation__{point}": 0.01 for point in ("before", "published")}
    emails |= {"email__claimed": 0.01, "email__handed_over": 0.01}
    with trial.going_wrong(**points, **emails), trial.buying():
        pass
    trial.calm(mails=False)
    # An e-mail whose sender died waits for the sweeper to call it unknown.
    trial.let_time_pass(30)
    trial.settle()
    trial.count_faults()
    # A point is met about three times in 200 orders: of fewer than 1000, chance may spare one.
    spared = {name.replace("__", ".") for name in points} - set(plan.notes("crashes"))
    trial.require(trial.orders < 1000 or not spared, f"never died at {sorted(spared)}")
    trial.all_placed()


@row(8, "worker SIGTERM, as at a deployment", holds="ends below 30 s, nothing lost")
def told_to_end(trial: Trial) -> None:
    took: list[float] = []
    with trial.buying() as crowd:
        while crowd.done < 0.8 * len(crowd.wishes) and not crowd.is_over:
            for name in ("worker-order", "worker-email", "relay"):
                took.append(_terminate(trial, name))
    trial.fault_ends()
    trial.settle()
    trial.count_faults(len(took))
    slowest = max(took, default=0.0)
    trial.figure("slowest end", f"{slowest:.1f} s")
    trial.require(slowest < 30, f"a process took {slowest:.0f} s to end")
    trial.all_placed()


def _terminate(trial: Trial, name: str) -> float:
    """Seconds that it took to end; it is started again by the supervisor."""
    pid, started = trial.world.supervisor.pid(name), time.monotonic()
    os.kill(pid, signal.SIGTERM)
    trial.wait_for(f"{name} ends", lambda: not is_running(pid))
    took = time.monotonic() - started
    trial.wait_for(f"a new {name}", lambda: trial.world.supervisor.pid(name) != pid)
    time.sleep(3)  # until it has found its signal handlers again
    return took


@row(
    9,
    "messages that kill their process",
    holds="5 runs, then a dead letter; others go on",
    is_slow=True,
)
def poisoned(trial: Trial) -> None:
    from chaos.faults.poison import die

    number = max(1, trial.orders // 100)
    alone = _seconds_to_confirm(trial)
    for n in range(number):
        die.apply_async(kwargs={"number": n})
    beside = _seconds_to_confirm(trial)
    trial.wait_for(
        "dead letters", lambda: DeadLetter.objects.count() == number, seconds=60 + 30 * number
    )
    trial.fault_ends()
    trial.settle(may_give_up=True)
    runs = Counter(plan.notes("poisoned"))
    trial.count_faults(runs.total())
    trial.figure("runs each", sorted(set(runs.values())))
    trial.figure("healthy rate", f"{alone / beside:.0%} of the usual")
    trial.require(max(runs.values()) <= POISON_LIMIT, f"{max(runs.values())} runs")
    # With few orders the rate is noise.
    trial.require(trial.orders < 200 or alone / beside >= 0.8, "healthy orders below 80 %")


def _seconds_to_confirm(trial: Trial) -> float:
    """Half of the orders, from the first call until all are confirmed."""
    started = time.monotonic()
    half = trial.orders // 2
    wishes = trial.make_wishes(half, products=trial.stock(3 * half))
    with trial.buying(wishes):
        pass
    pending = Order.objects.filter(status=Status.PENDING)
    trial.wait_for("half of the orders confirmed", lambda: not pending.exists(), seconds=120)
    return time.monotonic() - started


@row(
    32,
    "clocks wrong by 10 min, two beats",
    holds="nothing expires early, nothing twice",
    is_slow=True,
)
def wrong_clocks(trial: Trial) -> None:
    from shop.outbox.models import OutboxMessage
    from tasks.maintenance import sweep

    skews = {"worker-order": 600, "worker-email": -600, "worker-search": 600, "beat": 600}
    trial.world.supervisor.start(["beat.2"])
    early = 0
    trial.world.mail.dawdles = 0.3  # so that a sweep finds e-mails that are just being sent
    try:
        with trial.going_wrong(clock__skews=skews), trial.buying():
            for _ in range(4):
                sweep.apply_async()
                time.sleep(1)
                # Told here, because a sender that is only slow corrects its row.
                early += _unknown_by_last_sweep(trial)
        trial.settle()
    finally:
        trial.world.supervisor.stop("beat.2")
    trial.count_faults(len(skews) + 1)
    trial.all_placed()
    announced = OutboxMessage.objects.filter(topic="order.placed").count()
    trial.require(announced == trial.orders, f"{announced} announcements")
    early += OutgoingEmail.objects.filter(status="unknown").count()
    trial.require(early == 0, f"{early} e-mails called unknown too early")


def _unknown_by_last_sweep(trial: Trial) -> int:
    swept = Heartbeat.objects.filter(name=SWEEPER)
    trial.wait_for("a sweep", swept.exists)
    return int(swept.values_list("facts__emails_unknown", flat=True)[0])


@row(
    37,
    "worker frozen for 60 s, then resumed",
    holds="another does its work; the zombie's repeat has no effect",
)
def frozen(trial: Trial) -> None:
    seconds = 60 if trial.orders >= 200 else 35
    supervisor = trial.world.supervisor
    supervisor.start(["worker-order.2"])
    try:
        with trial.buying() as crowd:
            trial.wait_for("a quarter bought", lambda: crowd.done >= trial.orders / 4)
            stopped, group = time.monotonic(), supervisor.pid("worker-order")
            os.killpg(group, signal.SIGSTOP)
        time.sleep(max(0, seconds - (time.monotonic() - stopped)))
        os.killpg(group, signal.SIGCONT)
        trial.fault_ends()
        # All orders may be done by now, and what it does with its own is what is asked here.
        trial.wait_for("the zombie answers", lambda: workers_are_ready(4))
        trial.wait_for("it has nothing left", trial.world.is_idle)
        trial.settle(may_give_up=True)
    finally:
        os.killpg(supervisor.pid("worker-order"), signal.SIGCONT)
        supervisor.stop("worker-order.2")
    trial.count_faults(1)
    _require_quiet_repeats(trial)
    # With few orders it may hold none when it freezes.
    zombie = trial.verdict.absorbed > 0
    trial.require(trial.orders < 200 or zombie, "nothing was delivered to another")
    trial.all_placed()


def _require_quiet_repeats(trial: Trial) -> None:
    """A task that the worker had begun may say that its time was up, and nothing else."""
    letters = DeadLetter.objects.open()
    trial.figure("dead letters", letters.count())
    repeats = letters.exclude(reason__startswith="SoftTimeLimitExceeded").count()
    trial.require(repeats == 0, f"{repeats} repeats gave up")
