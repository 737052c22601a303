"""The part of a rule's page that shows what the rule would do, before it is saved."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import BooleanRadioFilter

from apps.catalog.plain_text import one_line
from apps.catalog.search.models import Synonym
from apps.catalog.search.trying import AnyRule, compare
from shop.admin import ModelAdmin

_LONGEST_QUERY = 200


class TryingAdmin(ModelAdmin[Any]):
    """A rule's admin, with a query to try the rule on."""

    change_form_outer_after_template = "search/admin/try.html"
    list_filter = (("is_active", BooleanRadioFilter),)
    list_filter_submit = True

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_try"
        view = self.admin_site.admin_view(require_POST(self.try_rule))
        return [path("try/", view, name=name), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        rule = self.get_object(request, object_id) if object_id else None
        query = "" if rule is None else first_query(rule)
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "try_query": query}
        )

    def try_rule(self, request: HttpRequest) -> HttpResponse:
        """The results for the query `try`, or one that the rule is about, before and after what
        the form says."""
        key = request.POST.get("try_pk", "")
        rule = self.get_object(request, key) if key else None
        if not (
            self.has_change_permission(request, rule)
            if rule
            else self.has_add_permission(request)
        ):
            raise PermissionDenied
        form = self.get_form(request, rule, change=rule is not None)(
            request.POST, instance=rule
        )
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            typed = one_line(request.POST.get("try", ""))[:_LONGEST_QUERY]
            query = typed or first_query(form.instance)
            if query:
                context |= {"query": query, "comparison": compare(form.instance, q=query)}
        return TemplateResponse(request, "search/admin/tried.html", context)


def first_query(rule: AnyRule) -> str:
    """A query that the rule is about; empty if it is about all."""
    return rule.terms.partition(",")[0].strip() if isinstance(rule, Synonym) else rule.query
