"""A cache that is away, and a network between the tiers that is slow, cut or deaf."""

import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from chaos.proxies import TOXICS, Proxies
from chaos.rows.row import row
from chaos.trial import Trial
from chaos.world import PROCESSES


@row(
    20,
    "cache killed, frozen, emptied",
    holds="no 5xx; a cache miss, no wait to speak of",
    is_slow=True,
)
def cache_away(trial: Trial) -> None:
    world = trial.world
    _buy_a_quarter(trial, "usual")
    world.servers.kill("redis")
    _buy_a_quarter(trial, "killed")
    world.servers.start("redis")
    with _frozen(world.servers.redis.pid()):
        _buy_a_quarter(trial, "frozen")
    world.empty_cache()
    _buy_a_quarter(trial, "emptied")
    trial.fault_ends()
    trial.settle()
    trial.count_faults(3)
    trial.report_checkouts()
    trial.require(trial.server_errors() == 0, f"{trial.server_errors()} answers 5xx")
    trial.all_placed()


def _buy_a_quarter(trial: Trial, name: str) -> None:
    number = max(2, trial.orders // 4)
    with trial.buying(trial.make_wishes(number, products=trial.stock(3 * number))) as crowd:
        pass
    times = [answer.seconds for answer in crowd.answers()]
    p95 = statistics.quantiles(times, n=20)[-1]
    trial.figure(f"checkout p95 {name}", f"{p95 * 1000:.0f} ms")


@contextmanager
def _frozen(pid: int | None) -> Iterator[None]:
    if pid is None:
        raise LookupError("the cache is not running")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@row(
    38,
    "latency, resets and silence between any two tiers",
    holds="every call has an end",
    is_slow=True,
)
def bad_network(trial: Trial) -> None:
    world = trial.world
    products = trial.stock(3 * trial.orders)
    each = max(2, trial.orders // (len(TOXICS) * 3))
    wishes = trial.make_wishes(each * len(TOXICS) * 3, products=products)
    trial.orders = len(wishes)
    with (
        Proxies(world.servers) as proxies,
        world.replaced(*PROCESSES, environment=proxies.environment),
    ):
        for tier in ("primary", "redis", "rabbitmq"):
            for name in TOXICS:
                chosen, wishes = wishes[:each], wishes[each:]
                proxies.poison(tier, name)
                with trial.buying(chosen, clients=4):
                    time.sleep(3)
                    proxies.cure()
                slowest = max(a.seconds for wish in chosen for a in wish.answers)
                trial.figure(f"slowest call, {tier} {name}", f"{slowest:.1f} s")
        trial.fault_ends()
        trial.settle()
    trial.count_faults(3 * len(TOXICS))
    trial.report_checkouts()
    slowest = max(answer.seconds for answer in trial.checkouts())
    trial.require(slowest < 15, f"a call took {slowest:.0f} s")
    trial.all_placed()
