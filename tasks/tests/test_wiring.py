"""Every announcement starts something, and every task has a queue."""

import subprocess
import sys
from pathlib import Path

import pytest
from celery.beat import Scheduler
from celery.schedules import crontab

from apps.catalog.search.indexing.rebuilding import REBUILD_REQUESTED
from apps.orders import checkout, fulfilment, restarting
from shop.celery import app
from shop.outbox.models import OutboxMessage
from shop.topology import DEAD_QUEUES, MAINTENANCE, SEARCH, UNROUTED_QUEUE, WORK_QUEUES
from tasks.outbox import HANDLERS, steps_for
from tasks.queues import declare_queues, queue_of
from tasks.steps import TASK_RESUMED
from tests.pipeline import worker_environment

ROOT = Path(__file__).resolve().parents[2]


def our_tasks() -> list[str]:
    app.loader.import_default_modules()
    return [name for name in app.tasks if name.startswith("tasks.")]


def test_every_topic_of_the_apps_has_a_handler() -> None:
    topics = {
        value
        for module in (checkout, fulfilment, restarting)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and value.startswith("order.")
    }
    assert topics | {TASK_RESUMED, REBUILD_REQUESTED} == set(HANDLERS)


def test_every_handler_starts_registered_tasks_with_ids_of_the_message() -> None:
    registered = our_tasks()
    for topic in set(HANDLERS) - {TASK_RESUMED}:
        message = OutboxMessage(topic=topic, payload={"order_id": 1})
        steps = steps_for(message)
        assert [step.task in registered for step in steps] == [True] * len(steps)
        ids = [step.options["task_id"] for step in steps]
        assert ids == [step.options["task_id"] for step in steps_for(message)]
        assert len(set(ids)) == len(ids)


def test_fields_that_nobody_knows_are_left_out() -> None:
    message = OutboxMessage(topic="order.placed", payload={"order_id": 1, "newer": [2]})
    assert [step.kwargs for step in steps_for(message)] == [{"order_id": 1}] * 3


def test_every_task_is_routed_to_a_work_queue_of_its_own_kind() -> None:
    routes = {name: app.amqp.router.route({}, name)["queue"].name for name in our_tasks()}
    assert routes.pop("tasks.email.send_order_confirmation") == "email.send_order_confirmation"
    for name in [name for name in routes if name.startswith("tasks.search.")]:
        assert routes.pop(name) == "search.index_product"
    for name in [name for name in routes if name.startswith("tasks.maintenance.")]:
        assert routes.pop(name) == "shop.maintenance"
    assert set(routes.values()) == {"order.process"}


def test_beat_starts_registered_tasks_that_no_wrong_clock_lets_expire_on_redis() -> None:
    registered = [*our_tasks(), "celery.backend_cleanup"]
    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in registered, name
        assert entry["options"]["expires"] >= 3600, name


@pytest.mark.rabbitmq
def test_rabbitmq_itself_lets_what_beat_sends_expire_before_it_comes_again(
    rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", rabbitmq)
    (queue,) = [queue for queue in WORK_QUEUES if queue.name == MAINTENANCE]
    with app.connection_for_write() as broker:
        declare_queues(broker)
        queue(broker.default_channel).purge()
        send_all_of_beat(rabbitmq)
        bound = queue(broker.default_channel)
        waits: dict[str, float] = {}
        while (message := bound.get(no_ack=True)) is not None:
            assert not message.headers["expires"]
            waits[message.headers["task"]] = int(message.properties["expiration"]) / 1000
    entries = [
        entry
        for entry in app.conf.beat_schedule.values()
        if app.amqp.router.route({}, entry["task"])["queue"].name == MAINTENANCE
    ]
    assert waits.keys() == {entry["task"] for entry in entries}
    for entry in entries:
        is_nightly = isinstance(entry["schedule"], crontab)
        interval = 24 * 3600 if is_nightly else entry["schedule"]
        assert 0 < waits[entry["task"]] < interval


def send_all_of_beat(broker_url: str) -> None:
    script = (
        "import django; django.setup()\n"
        "from celery.beat import Scheduler\n"
        "from shop.celery import app\n"
        "app.loader.import_default_modules()\n"
        "scheduler = Scheduler(app, lazy=True)\n"
        "scheduler.setup_schedule()\n"
        "for entry in scheduler.schedule.values():\n"
        "    scheduler.apply_async(entry, advance=False)\n"
    )
    command = [sys.executable, "-c", script]
    subprocess.run(command, env=worker_environment(broker_url), check=True)  # noqa: S603 ours


def test_work_with_a_time_limit_of_its_own_runs_where_a_limit_is_kept() -> None:
    """In a thread nothing can end it: Celery's limits need processes."""
    usual = app.conf.task_time_limit
    limited = {
        queue_of(app, name) for name in our_tasks() if app.tasks[name].time_limit != usual
    }
    assert limited == {SEARCH, MAINTENANCE}
    workers = [
        line for line in (ROOT / "Procfile").read_text().splitlines() if " --queues " in line
    ]
    for worker in workers:
        queues = set(worker.partition(" --queues ")[2].split()[0].split(","))
        assert not (queues & limited and "--pool threads" in worker), worker


def test_maintenance_is_acknowledged_before_its_work() -> None:
    for name in our_tasks():
        comes_again = name.startswith(("tasks.maintenance.", "tasks.search."))
        assert app.tasks[name].acks_late != comes_again, name


def test_beat_sends_what_is_due_to_the_queues_of_the_maintenance_and_of_search() -> None:
    scheduler = Scheduler(app, lazy=True)
    scheduler.setup_schedule()
    tasks = {str(entry.task) for entry in scheduler.schedule.values()}
    # Celery's schedulers add this one by themselves, but for the one that the shop uses.
    assert "celery.backend_cleanup" in tasks
    queues = {task: app.amqp.router.route({}, task)["queue"].name for task in tasks}
    for task in [task for task in queues if task.startswith("tasks.search.")]:
        assert queues.pop(task) == SEARCH
    assert set(queues.values()) == {MAINTENANCE}


def test_every_work_queue_but_that_of_the_maintenance_has_its_dead_letter_queue() -> None:
    keys = {queue.routing_key for queue in DEAD_QUEUES}
    for queue in WORK_QUEUES:
        if queue.name == MAINTENANCE:  # what expires there is no dead letter
            assert "x-dead-letter-exchange" not in (queue.queue_arguments or {})
            continue
        arguments = queue.queue_arguments or {}
        assert arguments["x-dead-letter-exchange"] == "shop.dlx"
        assert arguments["x-dead-letter-routing-key"] in keys


def test_a_worker_without_a_queue_list_does_not_consume_dead_letters() -> None:
    consumed = set(app.amqp.queues)
    assert not consumed & {queue.name for queue in [*DEAD_QUEUES, UNROUTED_QUEUE]}
