"""Where to go next, and staying open for it."""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape

from deploy.demo.opening import Shop


def stay_open(console: Console, shop: Shop) -> None:
    """Name the addresses and wait for Ctrl-C, which raises KeyboardInterrupt."""
    # Of those that have worked: Flower has not even begun.
    memory = ", ".join(f"{name} {mib}" for name, mib in shop.processes.memory().items())
    shop.processes.start(["flower"])
    console.print()
    for name, address, note in _doors(shop):
        console.print(f"[bold]{name:<9}[/] {escape(address):<31} {escape(note)}".rstrip())
    console.print(f"[bold]Memory[/]    {memory} MiB, children included")
    console.print("\nCtrl-C closes the shop; what it knows stays in var/.")
    while True:
        time.sleep(1)  # not signal.pause(): it may miss a signal that comes just before it


def _doors(shop: Shop) -> Iterator[tuple[str, str, str]]:
    passwords = shop.passwords
    yield "Shop", f"{shop.address}/", ""
    yield (
        "API",
        f"{shop.address}/api/docs/",
        f"ada@example.com, password {passwords['DEMO_SHOPPER_PASSWORD']}",
    )
    yield (
        "Admin",
        f"{shop.address}/admin/",
        f"admin@example.com, password {passwords['DEMO_ADMIN_PASSWORD']}",
    )
    yield "Flower", shop.flower, f"admin, password {passwords['DEMO_FLOWER_PASSWORD']}"
    yield "Mail", f"{shop.directory / 'mail'}/", ""
    yield "Logs", f"{shop.directory / 'log'}/", ""
    yield "Passwords", str(shop.directory / "demo-passwords"), ""
