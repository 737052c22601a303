"""What the broker has otherwise than the shop declares it, and what to do about it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

# RabbitMQ 3.10 to 4.0 word it like this, one argument at a time.
_WORDING = re.compile(
    r"inequivalent arg '(?P<argument>.+?)' for (?P<kind>\w+) '(?P<name>.+?)' in vhost .+?: "
    r"received (?P<declared>.+?) but current is (?P<found>.+)$",
    re.DOTALL,
)
_VALUE = re.compile(r"(?:the value )?'(?P<value>.*?)'(?: of type '\w+')?", re.DOTALL)


class Difference(NamedTuple):
    """What is there otherwise; `argument` is empty where RabbitMQ named none."""

    kind: str  # "queue" or "exchange"
    name: str
    what: str
    argument: str = ""
    found: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.what}"


def difference(refusal: str, *, kind: str, name: str) -> Difference:
    """What RabbitMQ's refusal to declare `name` again tells of."""
    match = _WORDING.search(refusal)
    if match is None:  # an exclusive queue, for instance
        return Difference(kind, name, refusal)
    found, declared = (_value(match[group]) for group in ("found", "declared"))
    what = f"{match['argument']} is {found or 'not set'}, declared is {declared or 'not set'}"
    return Difference(match["kind"], match["name"], what, match["argument"], found)


def what_to_do(differences: Sequence[Difference], *, virtual_host: str) -> list[str]:
    """Lines for the person who has to do it."""
    lines = ["Nothing that was there has been changed. Either use another virtual host, or:"]
    queues = dict.fromkeys(one.name for one in differences if one.kind == "queue")
    exchanges = [one.name for one in differences if one.kind == "exchange"]
    if queues:
        lines += [
            "  Messages go with their queue. So stop the relay, let the workers that still run",
            "  empty it, or move them to another queue by shovel; stop the workers. Then:",
        ]
        lines += [
            f"    rabbitmqctl delete_queue --vhost {virtual_host} {one}" for one in queues
        ]
    lines += [
        f"  Delete the exchange {one} on the management pages: it holds no messages."
        for one in exchanges
    ]
    return [*lines, "  Run manage.py declare_queues again, and start relay and workers."]


def _value(text: str) -> str | None:
    match = _VALUE.fullmatch(text)
    return match["value"] if match else None
