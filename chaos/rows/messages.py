"""Messages that nobody could have meant, and those of another version of the shop."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kombu import Producer

from chaos.rows.row import row
from chaos.trial import Trial
from deploy.processes import ROOT
from shop.celery import app
from shop.topology import ORDER, SHOP
from tasks.models import DeadLetter

_CONFIRM = "tasks.order_pipeline.confirm"


def _task(name: str, *, order_id: object = 1, **more: object) -> Callable[[Producer], None]:
    """Publishes a message for a task, well-formed as Celery's own."""

    def publish(producer: Producer) -> None:
        kwargs = {"order_id": order_id, **more} if order_id is not None else more
        message = app.amqp.create_task_message(str(uuid.uuid4()), name, (), kwargs)
        producer.publish(
            message.body,
            exchange=SHOP.name,
            routing_key=ORDER,
            serializer="json",
            headers=message.headers,
            **message.properties,
        )

    return publish


def _raw(body: Any, *, key: str = ORDER, **options: Any) -> Callable[[Producer], None]:
    def publish(producer: Producer) -> None:
        producer.publish(body, exchange=SHOP.name, routing_key=key, **options)

    return publish


_HEADERS = {"lang": "py", "task": _CONFIRM, "id": "00000000-0000-4000-8000-000000000001"}
# Each ends as a dead letter.
_DEADLY = {
    "unknown task": _task("tasks.order_pipeline.vanish"),
    "unknown order": _task(_CONFIRM, order_id=987_654_321),
    "missing argument": _task(_CONFIRM, order_id=None),
    "wrong argument": _task(_CONFIRM, order_id="one"),
    "not of Celery": _raw({"hello": "world"}),
    "pickle": _raw(
        b"cos\nsystem\n(S'true'\ntR.",
        headers=_HEADERS,
        content_type="application/x-python-serialize",
        content_encoding="binary",
    ),
    "no such queue": _raw({"hello": "nobody"}, key="order.proces"),
    "bad JSON": _raw(
        b'{"order_id": ',
        headers=_HEADERS,
        content_type="application/json",
        content_encoding="utf-8",
    ),
}


@row(
    12,
    "messages nobody can work on: unknown task or order, wrong arguments, pickle, bad JSON",
    holds="a dead letter each with its reason; no crash loop",
    is_slow=True,
)
def unworkable(trial: Trial) -> None:
    each = max(1, trial.orders // 100)
    with trial.buying(), app.connection_for_write() as broker:
        producer = Producer(broker.default_channel)
        for publish in _DEADLY.values():
            for _ in range(each):
                publish(producer)
    trial.fault_ends()
    # Pickles and strangers carry no id of their own: equal ones are one row that counts.
    trial.wait_for("dead letters", lambda: _given_up() >= each * len(_DEADLY), seconds=60)
    trial.settle(may_give_up=True)
    trial.count_faults(each * len(_DEADLY))
    trial.figure("dead letters", _given_up())
    trial.require(_given_up() == each * len(_DEADLY), f"{_given_up()} dead letters")
    mute = DeadLetter.objects.filter(reason="").count()
    trial.require(mute == 0, f"{mute} dead letters without a reason")
    restarts = dict(trial.world.supervisor.restarts)
    trial.require(not restarts, f"processes ended: {restarts}")
    trial.all_placed()


def _given_up() -> int:
    return sum(DeadLetter.objects.values_list("times", flat=True))


@row(
    35,
    "two versions of the code at work: new relay, old workers, and the reverse",
    holds="unknown fields are tolerated; no dead letter",
    is_slow=True,
)
def two_versions(trial: Trial) -> None:
    newer = _newer_version(Path(trial.world.servers.home.directory) / "newer")
    half = trial.orders // 2
    products = trial.stock(3 * trial.orders)
    for name in ("relay", "worker-order"):
        wishes = trial.make_wishes(half, products=products)
        with trial.world.replaced(name, root=newer):
            with trial.buying(wishes):
                pass
            trial.settle()  # here, or the old ones would do what is left
    trial.count_faults(2)
    trial.all_placed()


def _newer_version(directory: Path) -> Path:
    """A copy of the shop whose tasks have one more argument, and whose relay sends it."""
    shutil.rmtree(directory, ignore_errors=True)
    left_out = shutil.ignore_patterns("var", ".venv*", ".git", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, directory, ignore=left_out)
    _replace(
        directory / "tasks" / "order_pipeline.py",
        "(*, order_id: int) -> str:",
        '(*, order_id: int, channel: str = "web") -> str:',
    )
    _replace(
        directory / "tasks" / "outbox.py",
        "task.si(order_id=order_id) for task in tasks",
        'task.si(order_id=order_id, channel="telephone") for task in tasks',
    )
    return directory


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise LookupError(f"{file.name} does not hold {old!r}")
    file.write_text(text.replace(old, new))
