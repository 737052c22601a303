"""Under /api/accounts/."""

from django.urls import path

from apps.accounts.views import (
    AddressViewSet,
    LoginView,
    MeView,
    RefreshTokenView,
    RegisterView,
    RevokeTokenView,
)
from shop.private import private

_MANY = AddressViewSet.as_view({"get": "list", "post": "create"})
_ONE = AddressViewSet.as_view(
    {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
)

urlpatterns = private(
    [
        path("register/", RegisterView.as_view(), name="register"),
        path("token/", LoginView.as_view(), name="login"),
        path("token/refresh/", RefreshTokenView.as_view(), name="refresh-token"),
        path("token/revoke/", RevokeTokenView.as_view(), name="revoke-token"),
        path("me/", MeView.as_view(), name="me"),
        path("addresses/", _MANY, name="addresses"),
        path("addresses/<int:address_id>/", _ONE, name="address"),
    ]
)
