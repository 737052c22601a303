"""Synonyms, boosts and empty searches: lists and forms, with a query to try them on."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import ForeignKey
from django.forms import ModelChoiceField
from django.http import HttpRequest
from tree_queries.forms import TreeNodeChoiceField

from apps.catalog.search.admin.forms import BoostForm, EmptySearchForm, SynonymForm, terms_of
from apps.catalog.search.admin.trying import TryingAdmin
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from shop.admin import label


@admin.register(Synonym)
class SynonymAdmin(TryingAdmin):
    form = SynonymForm
    list_display = ("terms", "is_active")
    search_fields = ("terms",)
    search_help_text = "Word"
    ordering = ("terms", "pk")

    def save_model(
        self, request: HttpRequest, synonym: Synonym, form: Any, change: bool
    ) -> None:
        super().save_model(request, synonym, form, change)
        for other in Synonym.objects.filter(is_active=True).exclude(pk=synonym.pk):
            shared = ", ".join(sorted(terms_of(other) & terms_of(synonym)))
            if shared:
                messages.warning(request, f"Another rule has {shared}, too: {other}.")


@admin.register(Boost)
class BoostAdmin(TryingAdmin):
    form = BoostForm
    list_display = ("what", "wanted", "effect", "is_active")
    list_display_links = ("what",)
    list_select_related = ("product", "brand", "category")
    search_fields = ("query", "product__name", "brand__name", "category__name")
    search_help_text = "Query, product, brand or category"
    ordering = ("query", "pk")
    autocomplete_fields = ("product", "brand")
    fieldsets = (
        (None, {"fields": ("query", "factor", "is_active")}),
        ("What is moved: one of these", {"fields": ("product", "brand", "category")}),
    )

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        if db_field.name == "category":
            kwargs["form_class"] = TreeNodeChoiceField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="what is moved")
    def what(self, boost: Boost) -> str:
        kind = "product" if boost.product else "brand" if boost.brand else "category"
        return f"{getattr(boost, kind)} ({kind})"

    @admin.display(description="query", ordering="query")
    def wanted(self, boost: Boost) -> str:
        return boost.query or "every query"

    @admin.display(description="effect", ordering="factor")
    def effect(self, boost: Boost) -> str:
        if boost.factor > 1:
            return label(f"up × {boost.factor:g}", color="success")
        return label(f"down × {boost.factor:g}", color="warning")


@admin.register(EmptySearch)
class EmptySearchAdmin(TryingAdmin):
    form = EmptySearchForm
    list_display = ("query", "is_active")
    search_fields = ("query",)
    search_help_text = "Query"
    ordering = ("query", "pk")
