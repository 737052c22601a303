"""A real SMTP server for tests, which takes, refuses or drops mail as told."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """What arrived, and what to answer next: "250 OK", "451 later", "550 no" or "drop"."""

    def __init__(self) -> None:
        self.answer_to_recipient = self.answer_to_data = "250 OK"
        self.taken: list[Message] = []
        self.on_recipient: Callable[[str], None] = lambda _address: None

    async def handle_RCPT(  # noqa: N802 the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        # In a thread: what a test does there may use the database.
        await asyncio.to_thread(self.on_recipient, address)
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer_to_data.startswith("250") or self.answer_to_data == "drop":
            content = envelope.content
            assert isinstance(content, bytes)
            self.taken.append(message_from_bytes(content))
        if self.answer_to_data == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.answer_to_data


@contextmanager
def mail_server() -> Iterator[tuple[MailServer, int]]:
    """A running server and its port on 127.0.0.1."""
    server = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield server, port
    finally:
        controller.stop()
