"""Under /api/orders/: the cart and the orders made of it."""

from django.urls import include, path

from apps.orders.views import CancelOrderView, OrdersView, OrderView, PlaceOrderView
from shop.private import private

_ORDERS = private(
    [
        path("", OrdersView.as_view(), name="orders"),
        path("create/", PlaceOrderView.as_view(), name="place-order"),
        path("<slug:order_number>/", OrderView.as_view(), name="order"),
        path("<slug:order_number>/cancel/", CancelOrderView.as_view(), name="cancel-order"),
    ]
)

urlpatterns = [
    path("cart/", include("apps.cart.urls")),
    path("orders/", include(_ORDERS)),
]
