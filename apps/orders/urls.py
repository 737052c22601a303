"""Under /api/orders/: the cart and the orders made of it."""

from django.urls import include, path

from apps.orders.views import CancelOrderView, OrdersView, OrderView, PlaceOrderView

urlpatterns = [
    path("cart/", include("apps.cart.urls")),
    path("orders/", OrdersView.as_view(), name="orders"),
    path("orders/create/", PlaceOrderView.as_view(), name="place-order"),
    path("orders/<slug:order_number>/", OrderView.as_view(), name="order"),
    path("orders/<slug:order_number>/cancel/", CancelOrderView.as_view(), name="cancel-order"),
]
