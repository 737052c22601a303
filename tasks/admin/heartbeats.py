"""The last words of the pipeline's parts."""

from django.contrib import admin

from shop.admin import ReadOnlyAdmin
from tasks.models import Heartbeat


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin[Heartbeat]):
    list_display = ("name", "at", "facts")
    ordering = ("name",)
    fields = ("name", "at", "facts")
