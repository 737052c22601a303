"""Outgoing e-mail as rows: queued with what happened, claimed, sent outside any lock.

SMTP cannot say for certain that a mail was taken, so a mail is claimed before it is sent, and
what ends ambiguously is `unknown` until a person decides. A machine never sends it again.
"""

import smtplib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest, Now

from shop import log_context

# To hand a mail over takes seconds; a claim that is older than this died with its worker.
STUCK_AFTER = timedelta(minutes=10)
# A task that is alive tries every four minutes, or its broker delivers it again within seven:
# an e-mail that waits longer has no task any more.
FORGOTTEN_AFTER = timedelta(minutes=15)


class NotTaken(Exception):
    """The mail server clearly did not take the mail: it is queued again and may be retried."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an e-mail says, in both forms."""

    subject: str
    text: str
    html: str


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def queue(self, *, reference: str, kind: str, to: str, content: Content) -> None:
        """Write the one e-mail of this kind about `reference`; a repeat changes nothing."""
        email = OutgoingEmail(
            reference=reference,
            kind=kind,
            to=to,
            subject=content.subject,
            text=content.text,
            html=content.html,
            request_id=log_context.carried().get("request_id", ""),
        )
        self.bulk_create([email], ignore_conflicts=True)

    def withdraw(self, *, reference: str, now: datetime) -> None:
        """Take back what is about `reference` and has not been sent.

        One that is being sent now is taken back if the server refuses it.
        """
        queued, sending = OutgoingEmail.Status.QUEUED, OutgoingEmail.Status.SENDING
        self.filter(reference=reference, status__in=[queued, sending]).update(
            withdrawn_at=now,
            status=Case(
                When(status=queued, then=Value(OutgoingEmail.Status.WITHDRAWN)),
                default=F("status"),
            ),
        )

    def unsure(self, *, now: datetime) -> "OutgoingEmailQuerySet":
        """Those of which nobody can know whether they were sent, so that a person must look."""
        return self.filter(status=OutgoingEmail.Status.UNKNOWN) | self.stuck(now=now)

    def stuck(self, *, now: datetime) -> "OutgoingEmailQuerySet":
        """Those whose claim died with its worker."""
        return self.filter(
            status=OutgoingEmail.Status.SENDING, claimed_at__lt=now - STUCK_AFTER
        )

    def forgotten(self, *, now: datetime) -> "OutgoingEmailQuerySet":
        """Those still to be sent that no task has touched for too long."""
        # PostgreSQL's GREATEST passes over NULL: one that was never claimed.
        last_sign = Greatest("announced_at", "claimed_at")
        queued = self.filter(status=OutgoingEmail.Status.QUEUED)
        return queued.alias(last_sign=last_sign).filter(last_sign__lt=now - FORGOTTEN_AFTER)

    def call_stuck_unknown(self, *, now: datetime) -> int:
        """Leave those whose sender died, or hangs, to a person; returns how many."""
        return self.stuck(now=now).update(
            status=OutgoingEmail.Status.UNKNOWN,
            last_error="Its sender died, and never said whether the mail server took it.",
        )

    def settle_as_sent(self) -> int:
        """Believe a person that the `unknown` ones among these arrived; returns how many."""
        unknown = self.filter(status=OutgoingEmail.Status.UNKNOWN)
        return unknown.update(status=OutgoingEmail.Status.SENT, sent_at=F("claimed_at"))


class OutgoingEmail(models.Model):
    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        BOUNCED = "bounced", "bounced"
        UNKNOWN = "unknown", "unknown"
        WITHDRAWN = "withdrawn", "withdrawn"

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=64, help_text="What it is about: an order.")
    kind = models.CharField(max_length=32)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField()
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    announced_at = models.DateTimeField(
        db_default=models.functions.Now(), help_text="When a task was last told to send it."
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "kind"], name="one_email_per_reference_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["queued", "sending", "sent", "bounced", "unknown", "withdrawn"]
                ),
                name="email_status_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="email_by_status"),
            models.Index(fields=["to"], name="email_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.reference}"

    @property
    def message_id(self) -> str:
        """The same for every attempt, so that a doubled mail can be recognized as one.

        It names the request that led to the mail, as the log lines do.
        """
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
        # A request id may have dots where a Message-ID may not: first, last or two in a row.
        words = [self.kind, *self.request_id.split("."), str(self.uuid)]
        return f"<{'.'.join(filter(None, words))}@{domain}>"

    def send(self, *, now: datetime) -> str:
        """Send it if it is still to be sent, and return the status it has now.

        Runs any number of times: only who claims the row sends. Raises NotTaken when the
        mail server clearly refused for now. Must not be called inside a transaction.
        """
        # Built before the claim: what fails here has told the mail server nothing.
        connection = get_connection()
        try:
            message = self._message()
            message.message()
        except ValueError as error:
            return self._refuse_to_send(error)
        if not self._claim():
            self.refresh_from_db(fields=["status"])
            return self.status
        try:
            connection.open()
        except OSError as error:  # smtplib's exceptions are OSErrors too
            raise self._give_back(error) from None  # its text may hold an address
        try:
            return self._hand_over(message, connection, now)
        finally:
            connection.close()

    def _claim(self) -> bool:
        # By the database's clock: a sender whose own is wrong must not look stuck.
        claimed = self._while_queued().update(
            status=self.Status.SENDING, claimed_at=Now(), attempts=F("attempts") + 1
        )
        return claimed == 1

    def _while_queued(self) -> OutgoingEmailQuerySet:
        return OutgoingEmail.objects.filter(pk=self.pk, status=self.Status.QUEUED)

    def _hand_over(
        self, message: EmailMultiAlternatives, connection: BaseEmailBackend, now: datetime
    ) -> str:
        try:
            connection.send_messages([message])
        except smtplib.SMTPRecipientsRefused as error:
            if all(code >= 500 for code, _ in error.recipients.values()):
                return self._finish(self.Status.BOUNCED, error=_describe(error))
            raise self._give_back(error) from None
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            if isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500:
                return self._finish(self.Status.BOUNCED, error=_describe(error))
            raise self._give_back(error) from None
        except OSError as error:
            # The connection broke while the mail was being handed over: nobody can know.
            return self._finish(self.Status.UNKNOWN, error=_describe(error))
        return self._finish(self.Status.SENT, sent_at=now)

    def _message(self) -> EmailMultiAlternatives:
        message = EmailMultiAlternatives(
            self.subject, self.text, to=[self.to], headers={"Message-ID": self.message_id}
        )
        message.attach_alternative(self.html, "text/html")
        return message

    def _refuse_to_send(self, error: ValueError) -> str:
        """No mail can be made of the row, now or later: for example of its address."""
        self._while_queued().update(status=self.Status.BOUNCED, last_error=str(error))
        self.refresh_from_db(fields=["status"])
        return self.status

    def _give_back(self, error: OSError) -> NotTaken:
        self._while_in_doubt().update(
            last_error=_describe(error),
            status=Case(
                When(withdrawn_at=None, then=Value(self.Status.QUEUED)),
                default=Value(self.Status.WITHDRAWN),
            ),
        )
        return NotTaken(f"{self}: {_describe(error)}")

    def _finish(self, status: str, *, error: str = "", sent_at: datetime | None = None) -> str:
        self._while_in_doubt().update(status=status, last_error=error, sent_at=sent_at)
        return status

    def _while_in_doubt(self) -> OutgoingEmailQuerySet:
        # Unknown, too: a sender that was only slow knows better than who gave it up.
        in_doubt = [self.Status.SENDING, self.Status.UNKNOWN]
        return OutgoingEmail.objects.filter(pk=self.pk, status__in=in_doubt)


def _describe(error: OSError) -> str:
    """The kind of error and the server's code; its text may hold the recipient's address."""
    code = getattr(error, "smtp_code", None) or error.errno
    return f"{type(error).__name__} {code}" if code else type(error).__name__
