"""What beat starts, and when. Everything in it may run twice, so two beats are harmless.

Beat keeps the schedule in memory and has no file: a restart begins every interval anew, and a
nightly run at which no beat was running is left out until the next night.
"""

from typing import Any

from celery.schedules import crontab

from shop.settings.pipeline import CELERY_BROKER_URL

_HOUR = 3600


def _entry(task: str, schedule: float | crontab, *, expires: int) -> dict[str, Any]:
    """`expires` (seconds) is below the interval: what waited through an outage is no pile.

    RabbitMQ counts them itself. On Redis the worker compares a time of beat's clock with its
    own: an hour more than any two clocks differ, and a pile that a development shop bears.
    """
    options = {"expires": max(expires, _HOUR)}
    if CELERY_BROKER_URL.startswith("amqp"):
        options = {"expiration": expires}
    return {"task": task, "schedule": schedule, "options": options}


CELERY_BEAT_SCHEDULE = {
    "collect dead letters": _entry("tasks.maintenance.collect_dead_letters", 10.0, expires=9),
    "watch": _entry("tasks.maintenance.watch", 20.0, expires=18),
    "sweep": _entry("tasks.maintenance.sweep", 60.0, expires=55),
    # Beside the queue's other messages, which may come to its dead-letter queue: the worker
    # throws away what is late, because what RabbitMQ lets expire would be taken for a letter.
    "index products": {
        "task": "tasks.search.index_products",
        "schedule": 5.0,
        "options": {"expires": _HOUR},
    },
    "compare index": {
        "task": "tasks.search.compare_index",
        "schedule": crontab(minute=45, hour=3),
        "options": {"expires": 12 * _HOUR},
    },
    "measure popularity": _entry(
        "tasks.maintenance.measure_popularity_of_products",
        crontab(minute=30, hour=2),
        expires=12 * 3600,
    ),
    "count words": _entry("tasks.maintenance.count_words", 600.0, expires=550),
    "prune": _entry("tasks.maintenance.prune", crontab(minute=0, hour=3), expires=12 * 3600),
    "audit": _entry("tasks.maintenance.audit", crontab(minute=30, hour=3), expires=12 * 3600),
    # Celery's own. Of its schedulers only those with a file send it by themselves.
    "clean up results": _entry(
        "celery.backend_cleanup", crontab(minute=0, hour=4), expires=12 * 3600
    ),
}
