"""Carts, to be read while a customer is on the telephone."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from apps.cart.models import Cart, CartItem
from shop.admin import ReadOnlyAdmin, TabularInline


class CartItemInline(TabularInline[CartItem, Cart]):
    model = CartItem
    fields = readonly_fields = ("variant", "product", "quantity", "unit_price")
    extra = 0
    can_delete = False

    @admin.display()
    def product(self, item: CartItem) -> str:
        return item.variant.full_name

    def get_queryset(self, request: HttpRequest) -> QuerySet[CartItem]:
        return super().get_queryset(request).select_related("variant__product")


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin[Cart]):
    list_display = ("customer", "item_count", "updated_at")
    date_hierarchy = "updated_at"
    list_select_related = ("customer__user",)
    search_fields = ("customer__user__email", "items__variant__sku")
    search_help_text = "E-mail address or SKU"
    ordering = ("-updated_at", "-pk")
    fields = ("customer", "updated_at")
    inlines = (CartItemInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        items = CartItem.objects.filter(cart=OuterRef("pk")).values("cart")
        count = Coalesce(Subquery(items.values(count=Count("*"))), 0)
        return super().get_queryset(request).annotate(item_count=count)

    @admin.display(description="items")
    def item_count(self, cart: Any) -> int:
        return int(cart.item_count)
