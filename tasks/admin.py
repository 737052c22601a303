"""What gave up, for the people who look into it: dead letters and failed tasks."""

from django.contrib import admin
from django.urls import path, reverse
from django_celery_results.models import GroupResult, TaskResult

from shop.admin import ReadOnlyAdmin, label, link, preformatted
from tasks import stuck_page
from tasks.models import DeadLetter, Heartbeat

# The shop starts no groups, so there is nothing to show.
admin.site.unregister([GroupResult, TaskResult])
admin.site.index_title = "Overview"
admin.site.index_template = "tasks/admin/dashboard.html"
admin.site.extra_urls = lambda: [  # type: ignore[attr-defined]  # Unfold's
    path("stuck/", admin.site.admin_view(stuck_page.stuck), name="stuck")
]


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    list_display = ("task", "reason", "order", "times", "last_at")
    list_filter = ("task", "queue")
    date_hierarchy = "last_at"
    search_fields = ("order_id__exact", "task_id", "task", "reason")
    search_help_text = "Order id, task id, task or reason"
    ordering = ("-last_at", "-pk")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "task",
                    "reason",
                    ("order", "queue"),
                    ("first_at", "last_at"),
                    ("times", "attempts"),
                )
            },
        ),
        ("To start it again", {"fields": ("task_id", "arguments", "chain")}),
        ("Error", {"fields": ("traceback",)}),
    )

    @admin.display(ordering="order_id")
    def order(self, letter: DeadLetter) -> str:
        if letter.order_id is None:
            return ""
        url = reverse("admin:orders_order_change", args=[letter.order_id])
        return link(url, f"order\u00a0{letter.order_id}")

    @admin.display(description="last lines of the traceback")
    def traceback(self, letter: DeadLetter) -> str:
        return preformatted(letter.error)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin[Heartbeat]):
    list_display = ("name", "at", "facts")
    ordering = ("name",)
    fields = ("name", "at", "facts")


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
