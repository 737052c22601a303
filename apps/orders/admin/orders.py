"""The list of orders and an order's page. Nothing in them is edited by hand."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from apps.orders.admin import moves, panels
from apps.orders.models import Order, OrderItem, Status
from shop.admin import PageAction, ReadOnlyAdmin, button, label, leave_dialog, link

STATUS_COLORS: dict[str, str] = {
    Status.PENDING: "warning",
    Status.CONFIRMED: "info",
    Status.PROCESSING: "info",
    Status.SHIPPED: "primary",
    Status.DELIVERED: "success",
    Status.CANCELLED: "danger",
}
_BUTTONS = {
    "start_processing_this": moves.START_PROCESSING,
    "ship_this": moves.SHIP,
    "deliver_this": moves.DELIVER,
    "cancel_this": moves.CANCEL,
}


def _button(move: moves.Move) -> Callable[[PageAction], PageAction]:
    return button(
        move.title,
        icon=move.icon,
        question=move.question,
        permission="fulfil",
        is_dangerous=move is moves.CANCEL,
    )


class StalledFilter(admin.SimpleListFilter):
    title = "pipeline"
    parameter_name = "pipeline"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("stalled", "Pending for more than 5 minutes")]

    def queryset(self, _request: HttpRequest, orders: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "stalled":
            return orders
        return orders & Order.objects.stalled(now=timezone.now())


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    list_display = (
        "number",
        "placed_at",
        "email",
        "colored_status",
        "amount",
        "item_count",
    )
    list_filter = ("status", StalledFilter)
    date_hierarchy = "placed_at"
    search_fields = ("number",)
    search_help_text = "Order number, e-mail address or SKU"
    ordering = ("-placed_at", "-pk")
    actions = ("start_processing", "ship", "deliver", "cancel")
    actions_detail = tuple(_BUTTONS)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "colored_status"),
                    ("placed_at", "amount"),
                    ("email", "payment_method"),
                    ("buyer", "trouble"),
                )
            },
        ),
        ("Addresses", {"fields": (("ship_to", "bill_to"),)}),
    )
    change_form_outer_after_template = "shop/admin/panels.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        items = OrderItem.objects.filter(order=OuterRef("pk")).order_by().values("order")
        count = Coalesce(Subquery(items.values(count=Count("*"))), 0)
        return super().get_queryset(request).annotate(item_count=count)

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By the beginning of a number, any part of an address, or a whole SKU.

        One condition for each, because a join with the items would be slow in a long list.
        """
        term = search_term.strip()
        with_sku = OrderItem.objects.filter(sku__iexact=term).values("order")
        condition = Q(email__icontains=term) | Q(pk__in=with_sku)
        return queryset.filter(condition | Q(number__startswith=term.upper())), False

    @admin.display(description="status", ordering="status")
    def colored_status(self, order: Order) -> str:
        return label(order.get_status_display(), color=STATUS_COLORS.get(order.status))

    @admin.display(description="total", ordering="total")
    def amount(self, order: Order) -> str:
        return f"{order.total}\u00a0{order.currency}"

    @admin.display(description="items")
    def item_count(self, order: Any) -> int:
        return int(order.item_count)

    @admin.display(description="customer")
    def buyer(self, order: Order) -> str:
        url = reverse("admin:accounts_customer_change", args=[order.customer_id])
        return link(url, order.customer)

    @admin.display(description="what gave up")
    def trouble(self, order: Order) -> str:
        url = reverse("admin:tasks_deadletter_changelist")
        query = f"order_id={order.pk}&status__exact=all"
        return link(f"{url}?{query}", "Dead letters of this order")

    @admin.display(description="shipping address")
    def ship_to(self, order: Order) -> str:
        return panels.printed(order.shipping_address)

    @admin.display(description="billing address")
    def bill_to(self, order: Order) -> str:
        return panels.printed(order.billing_address)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        shown = panels.panels_of(order) if order and self.has_view_permission(request) else []
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "panels": shown}
        )

    def has_fulfil_permission(self, request: HttpRequest, _order_id: Any = None) -> bool:
        return bool(request.user.has_perm("orders.change_order"))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons that the order's status allows."""
        order = self.get_object(request, object_id)
        buttons = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # Unfold's
        return [shown for shown in buttons if order and _BUTTONS[shown.path].fits(order)]

    @admin.action(permissions=["fulfil"], description="Start processing")
    def start_processing(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._request(moves.START_PROCESSING, request, orders)

    @admin.action(permissions=["fulfil"], description="Ship")
    def ship(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._request(moves.SHIP, request, orders)

    @admin.action(permissions=["fulfil"], description="Mark as delivered")
    def deliver(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._request(moves.DELIVER, request, orders)

    @admin.action(permissions=["fulfil"], description="Cancel")
    def cancel(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        self._request(moves.CANCEL, request, orders)

    @_button(moves.START_PROCESSING)
    def start_processing_this(
        self, request: HttpRequest, _form: Any, *, object_id: str
    ) -> HttpResponse:
        return self._request_one(moves.START_PROCESSING, request, object_id)

    @_button(moves.SHIP)
    def ship_this(self, request: HttpRequest, _form: Any, *, object_id: str) -> HttpResponse:
        return self._request_one(moves.SHIP, request, object_id)

    @_button(moves.DELIVER)
    def deliver_this(self, request: HttpRequest, _form: Any, *, object_id: str) -> HttpResponse:
        return self._request_one(moves.DELIVER, request, object_id)

    @_button(moves.CANCEL)
    def cancel_this(self, request: HttpRequest, _form: Any, *, object_id: str) -> HttpResponse:
        return self._request_one(moves.CANCEL, request, object_id)

    def _request_one(
        self, move: moves.Move, request: HttpRequest, order_id: str
    ) -> HttpResponse:
        self._request(move, request, Order.objects.filter(pk=order_id))
        return leave_dialog(reverse("admin:orders_order_change", args=[order_id]))

    def _request(self, move: moves.Move, request: HttpRequest, orders: QuerySet[Order]) -> None:
        is_whole, sentence = moves.request_move(move, orders, request=request)
        level = messages.SUCCESS if is_whole else messages.WARNING
        self.message_user(request, sentence, level)
