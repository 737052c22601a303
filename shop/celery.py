"""The Celery app: `celery --app shop worker`. The base of every task: tasks/base.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.apps import apps
from django.conf import settings
from django.utils.log import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.prod")
# System checks are run at deployment; in every worker they would import all of the web.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("shop", task_cls="tasks.base:ShopTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
for blueprint in ("worker", "consumer"):  # at the start, and at every reconnect
    app.steps[blueprint].add("tasks.queues:DeclareQueues")


@setup_logging.connect  # without a receiver Celery would add handlers of its own
def _set_up_logging(**_: Any) -> None:
    """Django's, also where a program says something before Django is set up."""
    if not apps.ready:
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


app.on_configure.connect(_set_up_logging)
