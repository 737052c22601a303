"""A mail server in the test's own process, for tests that send thousands of mails."""

import smtplib
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

MOODS = ("takes", "is away", "refuses", "bounces", "drops")


class Mailbox(BaseEmailBackend):
    """Behaves as `mood` says; `taken` counts by subject what may have reached somebody."""

    mood: ClassVar[str] = "takes"
    taken: ClassVar[Counter[str]] = Counter()

    def open(self) -> bool:
        if self.mood == "is away":
            raise ConnectionRefusedError(111, "nobody listens")
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        (message,) = email_messages
        if self.mood in ("refuses", "bounces"):
            code = 451 if self.mood == "refuses" else 550
            raise smtplib.SMTPRecipientsRefused({message.to[0]: (code, b"no")})
        self.taken[str(message.subject)] += 1
        if self.mood == "drops":
            raise smtplib.SMTPServerDisconnected("in the middle of it")
        return 1
