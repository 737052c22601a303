"""Under /api/orders/cart/."""

from django.urls import path

from apps.cart.views import CartItemsView, CartItemView, CartView
from shop.private import private

urlpatterns = private(
    [
        path("", CartView.as_view(), name="cart"),
        path("items/", CartItemsView.as_view(), name="cart-items"),
        path("items/<int:item_id>/", CartItemView.as_view(), name="cart-item"),
    ]
)
