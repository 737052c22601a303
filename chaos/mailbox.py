"""The mail server of the trials: takes, refuses, dawdles, drops, or is not there."""

import asyncio
import random
import socket
from collections import Counter

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.mail_server import MailServer


class MailBox(MailServer):
    """A mail server that keeps every mail, and fails as told."""

    def __init__(self, *, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)  # noqa: S311 no secret
        self.drops = 0.0  # how often it drops the connection after it has taken the mail
        self.dawdles = 0.0  # seconds until it answers
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def reset(self) -> None:
        """Empty, and friendly again."""
        self.taken.clear()
        self.drops = self.dawdles = 0.0
        if self._controller is None:
            self.start()

    def copies(self) -> Counter[str]:
        """How often each mail arrived, by its Message-ID."""
        return Counter(str(mail["Message-ID"]).strip() for mail in list(self.taken))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.dawdles)
        self.answer_to_data = "drop" if self._random.random() < self.drops else "250 OK"
        return await super().handle_DATA(server, session, envelope)
