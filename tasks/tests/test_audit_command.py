"""manage.py audit: what it prints, what it ends with, and that it ends with one clear line."""

import io
import json
import os
import pty
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from apps.catalog.models import StockItem
from apps.orders import emails, fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import worker_environment

pytestmark = pytest.mark.django_db(transaction=True)


def confirmed(number: int = 1) -> list[Order]:
    ada, mug = make_customer(), make_variant(on_hand=number)
    orders = []
    for _ in range(number):
        order = place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
        fulfilment.confirm(order.pk, now=NOON)
        emails.send_confirmation(order.pk, now=NOON)
        orders.append(order)
    OutboxMessage.objects.update(sent_at=NOON)
    return orders


def audit(*options: str) -> str:
    out = io.StringIO()
    call_command("audit", *options, stdout=out)
    return out.getvalue()


def failing_audit(*options: str) -> tuple[str, CommandError]:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("audit", *options, stdout=out)
    return out.getvalue(), caught.value


def in_a_process(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 ours
        [sys.executable, "manage.py", "audit", *options],
        env={**worker_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ends_with_0_and_a_line_for_each_invariant_when_all_hold() -> None:
    confirmed(2)
    ended = in_a_process()
    lines = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split()[0] for line in lines] == (
        ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I10"]
    )
    assert lines[0].startswith("I1  conservation           ok          1 stock item, 2 order")
    assert lines[5].split(" s")[0].rstrip("0123456789.") == (
        "I6  no double charge       ok          2 to be paid on delivery: nothing to check  "
    )


def test_ends_with_1_and_says_what_is_wrong_below_the_lines() -> None:
    (order,) = confirmed()
    StockItem.objects.update(on_hand=7)
    Order.objects.update(total=F("total") + 1)
    ended = in_a_process()
    assert ended.returncode == 1
    assert ended.stderr == "CommandError: 2 of 9 invariants are violated: I1, I10.\n"
    assert ended.stdout.splitlines()[9:] == [
        "",
        "I1 conservation, violated:",
        "  MUG: on hand 7 and reserved 0; by the ledger 0 and 0; pending orders hold 0",
        "",
        "I10 price, violated:",
        f"  {order.number}: total 10.50 EUR; 1 lines with 9.50",
    ]
    assert "I1  conservation           1 VIOLATED" in ended.stdout


def test_ends_with_2_and_one_line_when_the_database_is_away() -> None:
    ended = in_a_process(DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    assert ended.returncode == 2
    assert ended.stderr.startswith("CommandError: The database: connection to server at")
    assert len(ended.stderr.splitlines()) == 1


def test_ends_with_2_when_asked_for_a_standby_that_the_shop_has_not(settings: Any) -> None:
    settings.DATABASE_REPLICA_URL = ""
    _, error = failing_audit("--standby")
    assert (error.returncode, str(error)) == (
        2,
        "There is no standby: DATABASE_REPLICA_URL is not set.",
    )


def test_shows_twenty_of_many_violations_and_counts_the_others() -> None:
    confirmed(23)
    Order.objects.update(total=F("total") + 1)
    shown, error = failing_audit()
    assert error.returncode == 1
    assert shown.count("total 10.50 EUR") == 20
    assert shown.endswith("  and 3 more\n")
    assert "I10 price                  23 VIOLATED" in shown


def test_looks_at_one_order_alone() -> None:
    sound, wrong = confirmed(2)
    Order.objects.filter(pk=wrong.pk).update(total=F("total") + 1)
    lines = audit("--order", sound.number.lower()).splitlines()
    assert lines[0].startswith("I1  conservation           ok          1 stock item, 1 order l")
    assert lines[2].startswith("I3  legality               ok          1 order, 2 status chang")
    shown, error = failing_audit("--order", wrong.number)
    assert error.returncode == 1
    assert wrong.number in shown
    assert sound.number not in shown


def test_ends_with_2_for_an_order_that_is_not_there() -> None:
    shown, error = failing_audit("--order", "nothere")
    assert (error.returncode, str(error)) == (2, "There is no order NOTHERE.")
    assert shown == ""


def test_counts_what_is_younger_than_the_grace_as_on_its_way() -> None:
    ten_minutes_ago = timezone.now() - timedelta(minutes=10)
    mug = make_variant(on_hand=1)
    place_order(make_purchase(make_customer()), lines=[make_line(mug)], now=ten_minutes_ago)
    OutboxMessage.objects.update(sent_at=ten_minutes_ago)
    assert "1 pending order, 0 of them late" in audit()
    shown, error = failing_audit("--grace", "60")
    assert "1 pending order, 1 of them late" in shown
    assert str(error) == "1 of 9 invariants are violated: I4."


def test_prints_json_for_programs() -> None:
    (order,) = confirmed()
    Order.objects.update(total=F("total") + 1)
    shown, error = failing_audit("--json")
    assert error.returncode == 1
    found = json.loads(shown)
    assert (found["order"], found["standby"], len(found["invariants"])) == (None, False, 9)
    price = found["invariants"][-1]
    assert price.pop("seconds") > 0
    assert price == {
        "code": "I10",
        "title": "price",
        "figures": {"orders": 1, "order lines": 1},
        "violations": 1,
        "samples": [{"subject": order.number, "problem": "total 10.50 EUR; 1 lines with 9.50"}],
    }


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "1e12", "soon"])
def test_refuses_a_grace_that_is_none(seconds: str) -> None:
    _, error = failing_audit(f"--grace={seconds}")
    assert "argument --grace" in str(error)
    assert seconds in str(error)


def test_shows_a_bar_and_the_same_lines_on_a_terminal() -> None:
    confirmed()
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        command = [sys.executable, "manage.py", "audit"]
        environment = {**worker_environment(), "TERM": "xterm", "COLUMNS": "120"}
        with subprocess.Popen(command, env=environment, stdout=theirs) as running:  # noqa: S603 ours
            os.close(theirs)
            shown = b""
            while piece := _read(terminal):
                shown += piece
        assert running.returncode == 0
    text = shown.decode()
    assert "I10 price                  ok" in text
    assert "\x1b[32m" in text
    assert "9/9" in text


def _read(terminal: Any) -> bytes:
    try:
        return bytes(terminal.read(4096))
    except OSError:  # Linux: the other end is closed
        return b""
