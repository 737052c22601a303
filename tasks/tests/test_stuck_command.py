"""manage.py stuck: its lines, its document and its exit status."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from shop.outbox.models import OutboxMessage
from tasks.models import Heartbeat
from tasks.stuck import QUESTIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def beat() -> None:
    for name in ("relay", "beat", "sweeper"):
        Heartbeat.objects.create(name=name, at=timezone.now())


def a_late_message() -> None:
    created_at = timezone.now() - timedelta(minutes=1)
    OutboxMessage.objects.create(topic="t", payload={"order_id": 7}, created_at=created_at)


def run(*arguments: str) -> tuple[int, str, str]:
    """The exit status, and what was written to either stream."""
    out = StringIO()
    try:
        call_command("stuck", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), ""


def test_ends_with_0_when_nothing_is_stuck() -> None:
    beat()
    status, out, error = run()
    assert (status, error) == (0, "")
    assert len(out.splitlines()) == len(QUESTIONS)
    assert all(line.endswith(" 0") for line in out.splitlines())


def test_ends_with_1_and_names_what_is_stuck() -> None:
    beat()
    a_late_message()
    status, out, error = run()
    assert (status, error) == (1, f"1 of {len(QUESTIONS)} need a look: outbox_late.")
    [line] = [line for line in out.splitlines() if not line.endswith(" 0")]
    assert line.startswith("outbox_late 1  ")
    assert line.endswith("t {'order_id': 7}")


def test_prints_one_document() -> None:
    beat()
    a_late_message()
    status, out, _ = run("--json")
    document = json.loads(out)
    found = {question["code"]: question for question in document["questions"]}
    assert (status, len(found)) == (1, len(QUESTIONS))
    late = found["outbox_late"]
    assert (late["number"], late["needs_a_look"]) == (1, True)
    assert late["oldest"] < document["at"]
    assert late["url"].startswith("/admin/outbox/outboxmessage/?state=waiting&")
    assert late["examples"][0]["text"] == "t {'order_id': 7}"
    relay = found["relay_silent"]
    assert (relay["number"], relay["needs_a_look"], relay["oldest"]) == (0, False, None)


@pytest.mark.django_db(transaction=True)
def test_ends_with_2_when_the_database_cannot_be_asked(
    monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", str(closed_port))
        status, out, error = run()
    assert (status, out) == (2, "")
    assert error.startswith("The database cannot be asked: ")
    assert len(error.splitlines()) == 1
