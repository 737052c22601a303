"""What gave up, what is stuck and who is alive, for the people who look into it."""

from django.contrib import admin
from django.urls import path

from tasks import stuck_page
from tasks.admin import heartbeats, letters, results

__all__ = ["heartbeats", "letters", "results"]

admin.site.index_title = "Overview"
admin.site.index_template = "tasks/admin/dashboard.html"
admin.site.extra_urls = lambda: [  # type: ignore[attr-defined]  # Unfold's
    path("stuck/", admin.site.admin_view(stuck_page.stuck), name="stuck")
]
