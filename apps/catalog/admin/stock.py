"""Stock: shown per variant, and changed only by booking a movement."""

import secrets
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.validators import RegexValidator
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold import decorators, widgets

from apps.catalog import inventory
from apps.catalog.admin.products import StockFilter, stock_label
from apps.catalog.models import StockMovement, Variant
from shop.admin import ModelAdmin, ReadOnlyAdmin, label, panel

Kind = StockMovement.Kind
KIND_COLORS: dict[str, str] = {
    Kind.RECEIPT: "success",
    Kind.RESTOCK: "success",
    Kind.SALE: "info",
    Kind.RESERVATION: "warning",
    Kind.CORRECTION: "danger",
}
_MOST = 1_000_000
_SHOWN_MOVEMENTS = 20


class BookingForm(forms.Form):
    """A movement to book. Sent twice, it is the same movement: its own key is in the form."""

    kind = forms.ChoiceField(
        choices=[
            (Kind.RECEIPT.value, "Receipt: goods have arrived"),
            (Kind.CORRECTION.value, "Correction: a count found more or fewer"),
        ],
        initial=Kind.RECEIPT.value,
        widget=widgets.UnfoldAdminRadioSelectWidget,
    )
    quantity = forms.IntegerField(
        min_value=-_MOST,
        max_value=_MOST,
        widget=widgets.UnfoldAdminIntegerFieldWidget,
        help_text="Units. A correction says the difference: -2 if two are missing.",
    )
    reference = forms.CharField(
        required=False,
        max_length=64,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="For example the number of the delivery note. Left empty, one is made up.",
    )
    reason = forms.CharField(
        required=False,
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="A correction needs one: broken, found, counted again.",
    )
    key = forms.CharField(
        initial=lambda: secrets.token_hex(4),
        widget=forms.HiddenInput,
        validators=[RegexValidator(r"^[0-9a-f]{8}\Z")],
    )

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        quantity = values.get("quantity")
        is_receipt = values.get("kind") == Kind.RECEIPT
        if quantity == 0 or (quantity and quantity < 0 and is_receipt):
            self.add_error(
                "quantity", "At least 1." if is_receipt else "A correction of 0 is none."
            )
        if not is_receipt and not values.get("reason"):
            self.add_error("reason", "A correction needs a reason.")
        if not values.get("reference") and "key" in values:
            values["reference"] = f"{'receipt' if is_receipt else 'count'}-{values['key']}"
        return values

    def book(self, variant: Variant, *, now: datetime) -> bool:
        """Book it once and return whether this was the time.

        Raises ValidationError when the stock, or an earlier movement, forbids it.
        """
        with transaction.atomic():
            # Makes two clicks wait for each other, so that only one of them says "booked";
            # not the key, so that nobody's order waits too.
            Variant.objects.select_for_update(no_key=True).get(pk=variant.pk)
            earlier = variant.movements.filter(
                reference=self.cleaned_data["reference"], kind=self.cleaned_data["kind"]
            ).first()
            if earlier is None:
                self._move(variant, now)
            elif earlier.quantity != self.cleaned_data["quantity"]:
                raise forms.ValidationError(
                    {
                        "reference": f"Already booked, with {earlier.quantity} units."
                        " Another movement needs another reference."
                    }
                )
        return earlier is None

    def _move(self, variant: Variant, now: datetime) -> None:
        facts = {name: self.cleaned_data[name] for name in ("reference", "reason")}
        is_receipt = self.cleaned_data["kind"] == Kind.RECEIPT
        move = inventory.receive if is_receipt else inventory.correct
        try:
            move({variant.pk: self.cleaned_data["quantity"]}, now=now, **facts)
        except inventory.OutOfStock as error:
            available = error.facts["items"][0]["available"]
            raise forms.ValidationError(
                {
                    "quantity": f"Only {available} can go:"
                    " units that are promised to orders have to stay."
                }
            ) from error
        except DataError as error:  # more than the column holds
            raise forms.ValidationError(
                {"quantity": "The shop cannot count that many units of one variant."}
            ) from error


@admin.register(Variant)
class VariantAdmin(ModelAdmin[Variant]):
    list_display = (
        "sku",
        "product",
        "name",
        "price",
        "is_active",
        "on_hand",
        "reserved",
        "available",
    )
    list_select_related = ("product", "stock")
    list_filter = (StockFilter, "is_active")
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("sku", "product__name")
    search_help_text = "SKU or product"
    ordering = ("sku",)
    readonly_fields = ("product", "on_hand", "reserved", "available")
    fieldsets = (
        (None, {"fields": ("product", ("sku", "name"), ("price", "is_active"))}),
        ("Stock", {"fields": (("on_hand", "reserved", "available"),)}),
    )
    actions_row = ("book_stock",)
    actions_detail = ("book_stock",)
    change_form_outer_after_template = "shop/admin/panels.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).with_available()  # type: ignore[attr-defined,no-any-return]  # its own QuerySet

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False  # a variant is added on its product's page

    def has_book_permission(self, request: HttpRequest, _variant_id: Any = None) -> bool:
        return bool(request.user.has_perm("catalog.add_stockmovement"))

    @admin.display(description="on hand", ordering="stock__on_hand")
    def on_hand(self, variant: Variant) -> int:
        return variant.stock.on_hand if hasattr(variant, "stock") else 0

    @admin.display(ordering="stock__reserved")
    def reserved(self, variant: Variant) -> int:
        return variant.stock.reserved if hasattr(variant, "stock") else 0

    @admin.display(ordering="available")
    def available(self, variant: Any) -> str:
        return stock_label(variant.available)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        variant = self.get_object(request, object_id)
        panels = [_latest_movements(variant)] if variant else []
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "panels": panels}
        )

    @decorators.action(  # type: ignore[untyped-decorator]  # no types
        description="Book stock", icon="swap_vert", permissions=["book"]
    )
    def book_stock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        variant = self.get_object(request, object_id)
        if variant is None:
            raise Http404
        form = BookingForm(request.POST or None)
        if form.is_valid() and self._book(request, variant, form):
            return redirect("admin:catalog_variant_change", variant.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Book stock of {variant.sku}",
            "opts": self.opts,
            "original": variant,
            "form": form,
        }
        return TemplateResponse(request, "catalog/admin/book_stock.html", context)

    @transaction.atomic
    def _book(self, request: HttpRequest, variant: Variant, form: BookingForm) -> bool:
        """Whether the movement is booked now, be it by an earlier click; else see the form."""
        try:
            is_new = form.book(variant, now=timezone.now())
        except forms.ValidationError as error:
            form.add_error(None, error)
            return False
        facts = form.cleaned_data
        what = f"{facts['kind']} of {facts['quantity']} ({facts['reference']})"
        if is_new:
            self.log_change(request, variant, f"Booked a {what}.")
            self.message_user(request, f"{variant.sku}: booked a {what}.", messages.SUCCESS)
        else:
            self.message_user(request, f"{variant.sku}: this {what} was already booked.")
        return True


def _latest_movements(variant: Variant) -> dict[str, Any]:
    movements = variant.movements.order_by("-pk")
    rows = [
        [row.booked_at, row.get_kind_display(), row.quantity, row.reference, row.reason]
        for row in movements[:_SHOWN_MOVEMENTS]
    ]
    return panel(
        "Latest stock movements",
        ["booked at", "kind", "quantity", "reference", "reason"],
        rows,
        empty="Nothing was booked yet.",
    )


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin[StockMovement]):
    list_display = ("booked_at", "sku", "product", "colored_kind", "quantity", "reference")
    list_select_related = ("variant__product",)
    list_filter = ("kind",)
    date_hierarchy = "booked_at"
    search_fields = ("variant__sku", "reference")
    search_help_text = "SKU or reference"
    ordering = ("-pk",)
    fields = ("booked_at", "variant", "product", "kind", "quantity", "reference", "reason")

    @admin.display(description="SKU", ordering="variant__sku")
    def sku(self, movement: StockMovement) -> str:
        return movement.variant.sku

    @admin.display(ordering="variant__product__name")
    def product(self, movement: StockMovement) -> str:
        return movement.variant.full_name

    @admin.display(description="kind", ordering="kind")
    def colored_kind(self, movement: StockMovement) -> str:
        return label(movement.get_kind_display(), color=KIND_COLORS.get(movement.kind))
