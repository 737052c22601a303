"""Web processes that die at a checkout."""

from apps.catalog.models import StockItem
from chaos.rows.row import row
from chaos.trial import Trial


@row(1, "web killed after COMMIT, before the answer", holds="no order lost; a retry finds it")
def killed_after_commit(trial: Trial) -> None:
    with trial.going_wrong(web__after_commit=_share(trial)), trial.buying():
        pass
    trial.settle()
    trial.count_faults()
    trial.report_checkouts()
    trial.all_placed()


@row(2, "web killed before COMMIT", holds="no order, nothing held; a retry makes one")
def killed_before_commit(trial: Trial) -> None:
    with trial.going_wrong(web__before_commit=_share(trial)), trial.buying():
        pass
    trial.settle()
    trial.count_faults()
    trial.report_checkouts()
    trial.all_placed()
    held = sum(StockItem.objects.values_list("reserved", flat=True))
    trial.require(held == 0, f"{held} units are held for nobody")


def _share(trial: Trial) -> float:
    """One process in three dies; of many, one in ten: to start again takes it two seconds."""
    return 1 / 3 if trial.orders <= 200 else 1 / 10
