"""One request id and one order number from the web to the mail, on real processes."""

import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.db import transaction

from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from deploy.processes import Processes
from shop import log_context
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from shop.topology import ORDER
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant
from tests.pipeline import Pipeline, eventually, worker_environment
from tests.servers import run_directory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.pipeline,
    pytest.mark.usefixtures("nothing_left_over"),
]

Line = dict[str, Any]


@pytest.fixture(autouse=True)
def nothing_bound() -> Iterator[None]:
    log_context.end()
    yield
    log_context.end()


def lines_of(process: str, **fields: object) -> list[Line]:
    """The process's lines that have these fields, in the order they were written."""
    text = (run_directory() / "log" / f"{process}.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if fields.items() <= line.items()]


def placed(request_id: str) -> Order:
    log_context.begin(request_id=request_id)
    lines = [make_line(make_variant(on_hand=1))]
    return place_order(make_purchase(make_customer()), lines=lines, now=NOON)


def sent() -> bool:
    return OutgoingEmail.objects.filter(status="sent").exists()


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a real web process on the test database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    environment = {**worker_environment(), "PORT": port, "WEB_WORKERS": "1"}
    with Processes(environment=environment, directory=run_directory()) as processes:
        processes.start(["web"])
        eventually(lambda: is_up(port), what="the web process up")
        yield f"http://127.0.0.1:{port}"


def is_up(port: str) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health/live", timeout=5).ok
    except requests.ConnectionError:
        return False


def order_as_guest(address: str, request_id: str) -> str:
    """Buy something with this X-Request-ID on the last call; the order's number."""
    variant = make_variant(on_hand=1)
    with requests.Session() as guest:
        guest.trust_env = False
        guest.post(
            f"{address}/api/orders/cart/items/", json={"product_id": variant.product_id}
        ).raise_for_status()
        home = {"full_name": "Ada Lovelace", "address_line1": "12 St James's Square"}
        home |= {"city": "London", "postal_code": "SW1Y 4JH", "country": "GB"}
        home |= {"address_type": "shipping"}
        address_id = guest.post(f"{address}/api/accounts/addresses/", json=home).json()["id"]
        form = {"shipping_address_id": address_id, "billing_address_id": address_id}
        answer = guest.post(
            f"{address}/api/orders/orders/create/?by=ada@example.com",
            json={**form, "payment_method": "cod", "email": "ada@example.com"},
            headers={"X-Request-ID": request_id},
        )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["order_number"])


def test_one_request_id_leads_from_the_web_through_the_outbox_and_three_tasks_to_the_mail(
    pipeline: Pipeline, web: str
) -> None:
    request_id = f"edge.{uuid.uuid4().hex}_1"
    number = order_as_guest(web, request_id)
    common = {"request_id": request_id, "order": number}
    eventually(sent, what="mailed")

    (line,) = lines_of("web", request_id=request_id)
    assert line.items() >= {**common, "event": "request", "status": 201}.items()
    assert (line["method"], line["route"]) == ("POST", "/api/orders/orders/create/")
    assert OutboxMessage.objects.get().context == common
    eventually(lambda: len(lines_of("worker-email", **common)) == 1, what="the last line")
    steps = lines_of("worker-order", **common) + lines_of("worker-email", **common)
    assert [(step["task"], step["queue"], step["outcome"]) for step in steps] == [
        ("tasks.order_pipeline.update_inventory", "order.process", "pending"),
        ("tasks.order_pipeline.confirm", "order.process", "confirmed"),
        ("tasks.email.send_order_confirmation", "email.send_order_confirmation", "sent"),
    ]
    assert [step["attempt"] for step in steps] == [1, 1, 1]
    assert len({step["task_id"] for step in steps}) == 3
    assert all(isinstance(each["duration_ms"], int) for each in [line, *steps])
    (mail,) = pipeline.mail.taken
    assert f".{request_id}." in mail["Message-ID"]


def test_each_attempt_of_a_task_has_a_line_with_its_number_and_the_same_request(
    pipeline: Pipeline,
) -> None:
    pipeline.mail.answer_to_recipient = "451 later"
    common = {"request_id": "retried-request", "order": placed("retried-request").number}
    refused = OutgoingEmail.objects.filter(status="queued", attempts__gte=2)
    eventually(refused.exists, what="two refused attempts")
    pipeline.mail.answer_to_recipient = "250 OK"
    eventually(sent, what="mailed")
    eventually(lambda: bool(lines_of("worker-email", **common, outcome="sent")), what="a line")
    *tries, last = lines_of("worker-email", **common)
    assert [line["attempt"] for line in [*tries, last]] == list(range(1, len(tries) + 2))
    assert {(line["outcome"], line["reason"][:8]) for line in tries} == {("retry", "Retry in")}
    assert len({line["task_id"] for line in [*tries, last]}) == 1


def test_also_the_traceback_of_a_task_that_failed_names_its_request_and_order(
    pipeline: Pipeline,
) -> None:
    order = placed("failed-request")
    eventually(sent, what="mailed")
    with transaction.atomic():
        OutboxMessage.publish_many(
            fulfilment.DELIVERY_REPORTED,
            [{"order_id": order.pk}],
            contexts=[{"order": order.number}],
        )
    common = {"request_id": "failed-request", "order": order.number}
    common["task"] = "tasks.order_pipeline.deliver"
    eventually(lambda: len(lines_of("worker-order", **common)) == 2, what="two lines")
    bug, end = lines_of("worker-order", **common)
    assert bug["exception"].splitlines()[-1].endswith("from confirmed to delivered.")
    assert (bug["level"], bug["attempt"], bug["queue"]) == ("error", 1, ORDER)
    assert (end["outcome"], end["reason"][:12]) == ("failure", "WrongStatus:")
