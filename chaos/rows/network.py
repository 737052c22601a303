"""A cache that is away, and a network between the tiers that is slow, cut or deaf."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chaos.clients import TIMEOUT, Shopper, Wish
from chaos.proxies import TOXICS, Proxies
from chaos.rows.row import row
from chaos.trial import Trial
from chaos.world import PROCESSES
from deploy.embedded.process import wait_until
from shop.percentiles import percentile

_CLIENTS = 2  # the web serves so many at once: a third would measure how long he queued
_TOXIC_LASTS, _PATIENCE = 20, 120  # seconds
# statement_timeout is the server's: its message is lost in the silence, too.
_GATE, _GATES = 5, {("primary", "silence"): TIMEOUT + 1}  # seconds


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
    trial.require_no_server_errors()
    trial.all_placed()


def _buy_a_quarter(trial: Trial, name: str) -> None:
    number = max(2, trial.orders // 4)
    with trial.buying(trial.make_wishes(number, products=trial.stock(3 * number))) as crowd:
        pass
    times = [answer.seconds for answer in crowd.answers()]
    trial.require(len(times) >= number, f"only {len(times)} checkouts while {name}")
    if times:
        trial.figure(f"checkout p95 {name}", f"{percentile(times, 95) * 1000:.0f} ms")


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
    "latency of 50 ms, resets and silence of 20 s between any two tiers",
    holds="no checkout takes 5 s. Known limit: nothing on the shop's side ends the wait for a"
    " PostgreSQL that takes a query and goes silent; the shopper's own 15 s do",
    is_slow=True,
)
def bad_network(trial: Trial) -> None:
    world = trial.world
    products = trial.stock(3 * trial.orders)
    each = min(6, max(2, trial.orders // (len(TOXICS) * 3)))
    wishes = trial.make_wishes(each * len(TOXICS) * 3, products=products)
    trial.orders = len(wishes)
    with (
        Proxies(world.servers) as proxies,
        world.replaced(*PROCESSES, environment=proxies.environment),
    ):
        for tier in ("primary", "redis", "rabbitmq"):
            for name in TOXICS:
                chosen, wishes = wishes[:each], wishes[each:]
                slowest = _slowest_checkout(trial, proxies, chosen, tier=tier, toxic=name)
                trial.figure(f"slowest checkout, {tier} {name}", f"{slowest:.1f} s")
                gate = _GATES.get((tier, name), _GATE)
                trial.require(slowest < gate, f"{tier} {name}: a call took {slowest:.1f} s")
        trial.fault_ends()
        trial.settle()
    trial.count_faults(3 * len(TOXICS))
    trial.report_checkouts()
    trial.all_placed()


def _slowest_checkout(
    trial: Trial, proxies: Proxies, wishes: Sequence[Wish], *, tier: str, toxic: str
) -> float:
    """Seconds. The carts are full before the toxic is put in: every checkout meets it."""
    trial.wishes += wishes
    ready = [(trial.shopper(), wish) for wish in wishes]
    for shopper, wish in ready:
        shopper.prepare(wish.items)
    threads = [
        threading.Thread(target=_check_out, args=[ready[n::_CLIENTS]], daemon=True)
        for n in range(_CLIENTS)
    ]
    proxies.poison(tier, toxic)
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: not any(one.is_alive() for one in threads), seconds=_TOXIC_LASTS)
    finally:
        proxies.cure()
    for thread in threads:
        thread.join()
    return max(answer.seconds for wish in wishes for answer in wish.answers)


def _check_out(ready: Sequence[tuple[Shopper, Wish]]) -> None:
    for shopper, wish in ready:
        shopper.insist(wish, until=time.monotonic() + _PATIENCE)
