"""The Celery app: `celery --app shop worker`. The base of every task: tasks/base.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.prod")
# System checks are run at deployment; in every worker they would import all of the web.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

app = Celery("shop", task_cls="tasks.base:ShopTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
for blueprint in ("worker", "consumer"):  # at the start, and at every reconnect
    app.steps[blueprint].add("tasks.queues:DeclareQueues")
