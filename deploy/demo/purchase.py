"""A guest buys something; every step is shown with its time since the order was sent off."""

import time

from rich.console import Console

from deploy.demo.guest import Guest
from deploy.demo.opening import Shop

_FIRST = 1  # the id of the catalogue's first product and of its variant, always in stock


def buy(console: Console, shop: Shop) -> None:
    """Buy one piece; returns when the order is confirmed and its mail is written.

    Raises Refused or Stuck.
    """
    # Django is set up by now; these modules need that.
    from deploy.demo import witness

    guest = Guest(shop.address)
    item = guest.add_to_cart(product_id=_FIRST, variant_id=_FIRST)["items"][0]
    guest.enter_address()
    console.print(f"\n[bold]A guest buys[/] {item['name']}")
    stock = witness.stock_of(_FIRST)
    witness.replica()
    started = time.monotonic()

    def tell(what: str, detail: str = "") -> None:
        milliseconds = round((time.monotonic() - started) * 1000)
        console.print(f"{milliseconds:5} ms  [green]{what:<18}[/] {detail}")

    order, _ = guest.check_out()
    number = order["order_number"]
    tell("order placed", f"201, {number}, {order['total']} {order['currency']}")
    tell("stock held", f"{stock} → {witness.stock_of(_FIRST)}")
    shop.wait_for("on replica", lambda: witness.is_on_replica(number), blame="web")
    tell("on the replica", f"a read there already shows the order{_lag(guest)}")
    shop.wait_for(
        "confirmed", lambda: guest.order(number)["status"] == "confirmed", blame="worker-order"
    )
    tell("confirmed", f"stock sold: {witness.stock_of(_FIRST)}")
    shop.wait_for(
        "mailed", lambda: witness.mail_about(number) is not None, blame="worker-email"
    )
    tell("mail written", str(witness.mail_about(number)))
    again, repeated = guest.check_out()
    if repeated and again["order_number"] == number:
        tell("same request again", "the same order, nothing bought twice")


def _lag(guest: Guest) -> str:
    replica = guest.readiness()["dependencies"]["replica"]
    return f", heartbeat {replica['lag_ms']} ms old"
