"""A mail server that is away, dawdles, or drops what it has taken."""

from datetime import timedelta

from django.db.models.functions import Now

from apps.orders.models import Order, Status
from chaos.rows.row import row
from chaos.trial import Trial
from deploy.embedded.process import wait_until
from shop.mail.models import OutgoingEmail


def _all_confirmed(trial: Trial) -> bool:
    return Order.objects.filter(status=Status.CONFIRMED).count() == trial.orders


@row(
    22,
    "mail server down",
    holds="orders confirmed; every mail sent once it is back",
    is_slow=True,
)
def down(trial: Trial) -> None:
    trial.world.mail.stop()
    with trial.buying():
        pass
    trial.wait_for("all confirmed without mail", lambda: _all_confirmed(trial))
    trial.world.mail.start()
    trial.fault_ends()
    # A refused mail is tried again after up to four minutes.
    trial.settle(within=300)
    trial.count_faults(1)
    trial.all_placed()
    sent = OutgoingEmail.objects.filter(status="sent").count()
    trial.require(sent == trial.orders, f"{sent} mails of {trial.orders}")


@row(
    23,
    "mail server silent",
    holds="given up after 10 s; orders not slower",
    is_slow=True,
)
def dawdles(trial: Trial) -> None:
    trial.world.mail.dawdles = 3600
    try:
        with trial.buying():
            pass
        trial.wait_for("all confirmed meanwhile", lambda: _all_confirmed(trial))
        hangs = wait_until(_hangs, seconds=20)
    finally:
        trial.world.mail.dawdles = 0
    trial.fault_ends()
    trial.settle()
    unknown = OutgoingEmail.objects.filter(status="unknown").count()
    trial.count_faults(unknown)
    trial.require(not hangs, "a mail was being sent for more than 15 s")
    trial.all_placed()


def _hangs() -> bool:
    """Whether a mail has been on its way for too long, by the database's clock."""
    sending = OutgoingEmail.objects.filter(status="sending")
    return sending.filter(claimed_at__lt=Now() - timedelta(seconds=15)).exists()


@row(
    24,
    "mail server takes mails and drops the connection",
    holds="unknown, never sent twice",
    is_slow=True,
)
def drops(trial: Trial) -> None:
    trial.world.mail.drops = 0.3
    with trial.buying():
        pass
    trial.fault_ends()
    trial.settle()
    unknown = OutgoingEmail.objects.filter(status="unknown").count()
    trial.count_faults(unknown)
    trial.require(unknown > 0, "nothing was dropped")
    trial.all_placed()
