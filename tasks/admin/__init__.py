"""What gave up, for the people who look into it: dead letters and failed tasks."""

from django.contrib import admin

from tasks.admin import letters, results

__all__ = ["letters", "results"]

admin.site.index_title = "Overview"
admin.site.index_template = "tasks/admin/dashboard.html"
