"""The indexes of the engine, what they do not know yet, and a button that makes a new one."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST
from elasticsearch import ApiError, TransportError

from apps.catalog.models import Product
from apps.catalog.search.engine.client import client
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.indexing.indexes import live_index
from apps.catalog.search.indexing.rebuilding import REBUILD_REQUESTED, is_running
from apps.catalog.search.models import DirtyProduct, Renaming, SearchIndex
from shop.admin import ReadOnlyAdmin, label
from shop.outbox.models import OutboxMessage

_COLORS: dict[str, str] = {"live": "success", "building": "info", "failed": "danger"}
_TIMEOUT = 1.0  # seconds: a page of the admin must open while the engine is frozen


@admin.register(SearchIndex)
class SearchIndexAdmin(ReadOnlyAdmin[SearchIndex]):
    list_display = ("name", "status", "documents", "started_at", "live_at", "retired_at")
    list_before_template = "search/admin/engine.html"
    ordering = ("-pk",)
    fields = (
        "name",
        "status",
        "mapping_hash",
        "documents",
        ("started_at", "live_at", "retired_at"),
    )

    @admin.display(description="state", ordering="state")
    def status(self, index: SearchIndex) -> str:
        return label(index.get_state_display(), color=_COLORS.get(index.state))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.rebuild))
        return [path("rebuild/", view, name="search_searchindex_rebuild"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        has_engine = bool(settings.SEARCH_URL)
        context = {
            **(extra_context or {}),
            "facts": _facts() if has_engine and self.has_view_permission(request) else {},
            "has_engine": has_engine,
            "may_rebuild": _may_rebuild(request),
            "is_running": has_engine and is_running(),
        }
        return super().changelist_view(request, context)

    def rebuild(self, request: HttpRequest) -> HttpResponse:
        """Ask for a new index: a worker makes it, unless one is just being made."""
        if not _may_rebuild(request) or not settings.SEARCH_URL:
            raise PermissionDenied
        if is_running():
            messages.warning(request, "A rebuild is running. No second one is asked for.")
        else:
            with transaction.atomic():
                OutboxMessage.publish(REBUILD_REQUESTED)
            messages.success(
                request,
                "A new index is asked for. Reload to see how far it is; if none comes, "
                "the list of task failures says why.",
            )
        return HttpResponseRedirect(reverse("admin:search_searchindex_changelist"))


@admin.register(DirtyProduct)
class DirtyProductAdmin(ReadOnlyAdmin[DirtyProduct]):
    list_display = ("product_id", "version", "dirty_since", "claimed_until", "together")
    ordering = ("dirty_since", "pk")
    fields = ("product_id", "version", "dirty_since", "claimed_until", "together")


@admin.register(Renaming)
class RenamingAdmin(ReadOnlyAdmin[Renaming]):
    list_display = ("__str__", "renamed_at", "done_up_to", "failures")
    ordering = ("pk",)
    fields = ("category_id", "brand_id", "renamed_at", "horizon", "done_up_to", "failures")


def _may_rebuild(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("search.change_searchindex"))


def _facts() -> dict[str, str]:
    dirty = DirtyProduct.objects.aggregate(number=Count("pk"), oldest=Min("dirty_since"))
    waiting = str(dirty["number"])
    if dirty["oldest"]:
        waiting += f", the oldest for {timesince(dirty['oldest'], timezone.now())}"
    on_sale = Product.objects.on_sale().count()
    live = live_index()
    return {
        "Engine": _engine(),
        "Products on sale": str(on_sale),
        "In the index": _indexed(on_sale),
        "Changes not in the index yet": waiting,
        "Live index made": _made(live),
        "Searched since": _moment(live.live_at if live else None),
    }


def _made(live: SearchIndex | None) -> str:
    """Longer ago than it is searched, after a rollback."""
    if live and not live.mapping_hash:  # the engine had it, and the shop no row of it
        return "unknown"
    return _moment(live.started_at if live else None)


def _moment(at: datetime | None) -> str:
    if at is None:
        return "never"
    return f"{at:%d %b %Y, %H:%M}, {timesince(at, timezone.now())} ago"


def _engine() -> str:
    try:
        version = client().options(request_timeout=_TIMEOUT).info()["version"]
    except (ApiError, TransportError):
        return "does not answer: PostgreSQL searches meanwhile"
    return f"{version.get('distribution', 'elasticsearch')} {version['number']}"


def _indexed(on_sale: int) -> str:
    shown = {"term": {"deleted": False}}
    try:
        answer = client().options(request_timeout=_TIMEOUT).count(index=ALIAS, query=shown)
    except (ApiError, TransportError):
        return "unknown"
    number = int(answer["count"])
    return str(number) if number == on_sale else f"{number}, a difference of {number - on_sale}"
