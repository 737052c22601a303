"""One e-mail, sent at most once by a machine, whatever the mail server does."""

import re
import traceback
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pytest_django.fixtures import Settings

from shop import log_context
from shop.clock import database_time
from shop.mail.models import STUCK_AFTER, Content, NotTaken, OutgoingEmail
from tests.builders import NOON
from tests.concurrently import run_at_once
from tests.mail_server import MailServer, mail_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as (server, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield server


def queued(reference: str = "order-1") -> OutgoingEmail:
    content = Content(subject="Confirmed", text="Thank you", html="<p>Thank you</p>")
    OutgoingEmail.objects.queue(
        reference=reference, kind="order-confirmation", to="ada@example.com", content=content
    )
    return OutgoingEmail.objects.get(reference=reference)


def status(email: OutgoingEmail) -> str:
    email.refresh_from_db()
    return email.status


def test_is_queued_once_though_it_is_queued_twice() -> None:
    assert queued() == queued()


def test_sends_text_and_html_once_though_it_is_told_twice(server: MailServer) -> None:
    email = queued()
    assert [email.send(now=NOON), email.send(now=NOON)] == ["sent", "sent"]
    (mail,) = server.taken
    assert mail["Message-ID"].strip() == email.message_id
    assert mail["To"] == "ada@example.com"
    parts = [part.get_content_type() for part in mail.walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    email.refresh_from_db()
    assert (email.sent_at, email.attempts) == (NOON, 1)


def test_eight_senders_at_once_send_one(server: MailServer) -> None:
    email = queued()
    outcomes = run_at_once([lambda: OutgoingEmail.objects.get().send(now=NOON)] * 8)
    assert not [o for o in outcomes if isinstance(o, Exception)]
    assert outcomes.count("sent") >= 1
    assert len(server.taken) == 1
    assert status(email) == "sent"


@pytest.mark.parametrize(
    ("request_id", "written"),
    [
        ("edge-1234.5678_9", ".edge-1234.5678_9."),
        ("..dots..everywhere..", ".dots.everywhere."),
        ("........", "."),
        ("-" * 64, f".{'-' * 64}."),
    ],
)
def test_the_message_id_names_the_request_and_is_a_valid_one(
    server: MailServer, request_id: str, written: str
) -> None:
    log_context.begin(request_id=request_id)
    email = queued()
    log_context.end()
    server.answer_to_data = "451 try later"
    with pytest.raises(NotTaken):
        email.send(now=NOON)
    server.answer_to_data = "250 OK"
    queued().send(now=NOON)  # as another worker reads it later
    (mail,) = server.taken
    assert mail["Message-ID"].strip() == f"<order-confirmation{written}{email.uuid}@localhost>"
    word = r"[A-Za-z0-9_-]+"
    assert re.fullmatch(rf"<{word}(\.{word})*@localhost>", mail["Message-ID"].strip())


def test_a_mail_that_no_request_led_to_has_a_message_id_all_the_same() -> None:
    email = queued()
    assert email.message_id == f"<order-confirmation.{email.uuid}@localhost>"


@pytest.mark.parametrize("stage", ["answer_to_recipient", "answer_to_data"])
def test_is_queued_again_when_the_server_refuses_for_now(
    server: MailServer, stage: str
) -> None:
    email = queued()
    setattr(server, stage, "451 try later")
    with pytest.raises(NotTaken) as caught:
        email.send(now=NOON)
    shown = "".join(traceback.format_exception(caught.value))
    assert "ada@example.com" not in shown  # it goes into the worker's log
    assert status(email) == "queued"
    setattr(server, stage, "250 OK")
    assert email.send(now=NOON) == "sent"
    assert len(server.taken) == 1


@pytest.mark.parametrize("stage", ["answer_to_recipient", "answer_to_data"])
def test_bounces_when_the_server_refuses_for_good(server: MailServer, stage: str) -> None:
    email = queued()
    setattr(server, stage, "550 no such mailbox")
    assert [email.send(now=NOON), email.send(now=NOON)] == ["bounced", "bounced"]
    assert server.taken == []


def test_is_unknown_and_never_sent_again_when_the_server_takes_it_and_drops(
    server: MailServer,
) -> None:
    email = queued()
    server.answer_to_data = "drop"
    assert email.send(now=NOON) == "unknown"
    server.answer_to_data = "250 OK"
    assert email.send(now=NOON) == "unknown"
    assert len(server.taken) == 1


def test_is_queued_again_when_no_server_listens(server: MailServer, settings: Settings) -> None:
    email = queued()
    settings.EMAIL_PORT = 1
    with pytest.raises(NotTaken):
        email.send(now=NOON)
    assert status(email) == "queued"


@pytest.mark.parametrize(
    ("answer", "in_the_end"), [("250 OK", "sent"), ("550 no", "bounced"), ("451 no", "queued")]
)
def test_a_sender_that_was_only_slow_settles_what_was_called_unknown(
    server: MailServer, answer: str, in_the_end: str
) -> None:
    email = queued()
    server.answer_to_recipient = answer

    def sweep_much_later(_recipient: str) -> None:
        now = database_time() + 2 * STUCK_AFTER
        assert OutgoingEmail.objects.call_stuck_unknown(now=now) == 1

    server.on_recipient = sweep_much_later
    with suppress(NotTaken):
        email.send(now=NOON)
    assert status(email) == in_the_end


def test_a_claim_that_nobody_finished_is_left_alone(server: MailServer) -> None:
    email = queued()
    OutgoingEmail.objects.update(status="sending")
    assert email.send(now=NOON) == "sending"
    assert server.taken == []


def test_a_withdrawn_email_is_not_sent_and_a_sent_one_cannot_be_withdrawn(
    server: MailServer,
) -> None:
    early, late = queued("order-1"), queued("order-2")
    late.send(now=NOON)
    for email in (early, late):
        OutgoingEmail.objects.withdraw(reference=email.reference, now=NOON)
    assert [early.send(now=NOON), late.send(now=NOON)] == ["withdrawn", "sent"]
    assert len(server.taken) == 1


def test_an_email_withdrawn_while_it_is_sent_is_not_sent_again(server: MailServer) -> None:
    email = queued()
    server.answer_to_recipient = "451 try later"

    def cancelled_meanwhile(_recipient: str) -> None:
        OutgoingEmail.objects.withdraw(reference=email.reference, now=NOON)

    server.on_recipient = cancelled_meanwhile
    with pytest.raises(NotTaken):
        email.send(now=NOON)
    assert status(email) == "withdrawn"
    server.answer_to_recipient = "250 OK"
    assert email.send(now=NOON) == "withdrawn"
    assert server.taken == []


def test_an_email_that_no_mail_can_be_made_of_bounces(server: MailServer) -> None:
    email = queued()
    OutgoingEmail.objects.update(to="two@lines\n.example")
    email.refresh_from_db()
    assert email.send(now=NOON) == "bounced"
    email.refresh_from_db()
    assert email.last_error
    assert server.taken == []
