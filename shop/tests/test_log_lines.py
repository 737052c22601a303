"""A log line is one object with known fields, whoever logged it."""

import json
import logging
from typing import Any

import pytest
from django.db import IntegrityError
from structlog.contextvars import get_contextvars

from shop import log_context
from shop.log_lines import formatter

log_of_ours = logging.getLogger("shop.tests")


@pytest.fixture(autouse=True)
def nothing_bound() -> Any:
    log_context.end()
    yield
    log_context.end()


def test_says_when_where_and_what_first(log: list[str]) -> None:
    log_of_ours.info("sold %d of %s", 2, "MUG")
    line = json.loads(log[0])
    assert list(line) == ["timestamp", "level", "logger", "event"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["logger"]) == ("info", "shop.tests")
    assert line["event"] == "sold 2 of MUG"


def test_names_what_is_bound_also_when_a_library_logs(log: list[str]) -> None:
    log_context.begin(request_id="request-1")
    log_context.bind(order="K7MX2WQ9RTHB")
    logging.getLogger("some.library").warning("hello")
    line = json.loads(log[0])
    assert (line["request_id"], line["order"]) == ("request-1", "K7MX2WQ9RTHB")


def test_a_new_beginning_and_an_end_forget_what_was_bound() -> None:
    log_context.begin(request_id="request-1", order="K7MX2WQ9RTHB")
    log_context.begin(request_id="request-2")
    assert get_contextvars() == {"request_id": "request-2"}
    log_context.end()
    assert get_contextvars() == {}


def test_takes_only_known_fields_from_a_record(log: list[str]) -> None:
    customer = {"name": "Ada"}
    log_of_ours.info("request", extra={"status": 201, "customer": customer, "args_": [1]})
    line = json.loads(log[0])
    assert line["status"] == 201
    assert "Ada" not in log[0]


def test_a_traceback_is_one_field_that_ends_with_the_error_and_is_bounded(
    log: list[str],
) -> None:
    try:
        raise ValueError("x" * 20_000 + " the end")
    except ValueError:
        log_of_ours.exception("failed")
    line = json.loads(log[0])
    assert line["event"] == "failed"
    assert line["exception"].endswith("the end")
    assert len(line["exception"]) == 8000


def test_nobody_is_named_in_text_fields_or_tracebacks(log: list[str]) -> None:
    log_context.begin(request_id="4111111111111111")
    try:
        raise IntegrityError("no\nDETAIL:  Key (email)=(ada@example.com) exists.")
    except IntegrityError:
        log_of_ours.exception("no %s", "ada@example.com", extra={"reason": "ada@example.com"})
    line = json.loads(log[0])
    assert (line["event"], line["reason"]) == ("no [e-mail]", "[e-mail]")
    assert line["request_id"] == "[card]"
    assert "IntegrityError" in line["exception"]
    assert "ada@" not in log[0]


def test_people_read_the_same_as_text() -> None:
    log_context.begin(request_id="request-1")
    record = log_of_ours.makeRecord(
        "shop.tests", logging.INFO, __file__, 1, "hello ada@example.com", (), None,
        extra={"status": 201},
    )  # fmt: skip
    line = formatter(form="lines").format(record)
    assert line.endswith("hello [e-mail] [shop.tests] request_id=request-1 status=201")
