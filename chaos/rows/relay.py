"""A relay that dies, repeats itself, or mixes everything up."""

from django.utils import timezone

from apps.orders import fulfilment
from apps.orders.models import Order, Status
from chaos.faults import plan
from chaos.rows.row import row
from chaos.trial import Trial


@row(
    6,
    "relay killed before it publishes, or after the confirms and before the mark",
    holds="published again, done once",
)
def killed_before_the_mark(trial: Trial) -> None:
    # Few orders are few batches: one that gets through must be the exception.
    share = 1 / 3 if trial.orders >= 200 else 9 / 10
    with trial.going_wrong(relay__claimed=1 / 2, relay__published=share), trial.buying():
        pass
    trial.settle()
    trial.count_faults()
    # With few orders chance may spare a point.
    spared = {"relay.claimed", "relay.published"} - set(plan.notes("crashes"))
    trial.require(trial.orders < 200 or not spared, f"never died at {sorted(spared)}")
    trial.all_placed()


@row(10, "every message delivered one to five times", holds="every effect once")
def delivered_again(trial: Trial) -> None:
    with trial.going_wrong(relay__copies=5), trial.buying():
        pass
    trial.settle()
    trial.count_faults(trial.orders)
    trial.require(trial.verdict.absorbed > 0, "nothing was delivered again")
    trial.all_placed()


@row(
    11,
    "steps out of order, cancellations among them",
    holds="a legal status, nothing lost",
    is_slow=True,
)
def out_of_order(trial: Trial) -> None:
    with trial.going_wrong(relay__shuffled_steps=True), trial.buying() as crowd:
        cancelled = 0
        while cancelled < trial.orders / 5 and not crowd.is_over:
            cancelled += _cancel_one()
    # An e-mail that came before its confirmation is what the sweeper is for.
    trial.calm(mails=False)
    trial.let_time_pass(30)
    trial.settle()
    trial.count_faults(trial.orders)
    trial.figure("cancelled", cancelled)
    trial.require(cancelled > 0, "nothing was cancelled")
    trial.all_placed()


def _cancel_one() -> bool:
    order = Order.objects.exclude(status=Status.CANCELLED).order_by("?").first()
    if order is None:
        return False
    fulfilment.cancel(order.pk, now=timezone.now())
    return True
