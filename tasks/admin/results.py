"""What django-celery-results keeps of tasks: failures, and what a person asked for."""

from django.contrib import admin
from django_celery_results.models import GroupResult, TaskResult

from shop.admin import ReadOnlyAdmin, label, preformatted

# The shop starts no groups, so there is nothing to show.
admin.site.unregister([GroupResult, TaskResult])

_STATE_COLORS = {
    "FAILURE": "danger",
    "REVOKED": "danger",
    "RETRY": "warning",
    "SUCCESS": "success",
}


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin[TaskResult]):
    list_display = ("task_name", "state", "task_kwargs", "worker", "date_done")
    list_filter = ("status", "task_name")
    date_hierarchy = "date_done"
    search_fields = ("task_id", "task_name", "task_kwargs")
    search_help_text = "Task, task id or argument"
    ordering = ("-pk",)
    fields = (
        ("task_name", "state"),
        "task_id",
        "task_kwargs",
        ("date_started", "date_done"),
        "worker",
        "outcome",
        "lines",
    )

    @admin.display(ordering="status")
    def state(self, result: TaskResult) -> str:
        return label(result.status, color=_STATE_COLORS.get(result.status))

    @admin.display(description="result")
    def outcome(self, result: TaskResult) -> str:
        return preformatted(result.result or "")

    @admin.display(description="traceback")
    def lines(self, result: TaskResult) -> str:
        return preformatted(result.traceback or "")
