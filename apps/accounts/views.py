"""Accounts and addresses over HTTP."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import status
from rest_framework.generics import CreateAPIView, RetrieveUpdateAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ModelViewSet
from rest_framework_simplejwt.views import (
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)

from apps.accounts.identity import CustomerMixin, customer_of
from apps.accounts.models import Address, User
from apps.accounts.serializers import (
    AddressSerializer,
    MeSerializer,
    RefreshTokenSerializer,
    RegisterSerializer,
    RevokeTokenSerializer,
)
from shop.schema import problems
from shop.throttling import Throttle

_TOO_MANY = problems(s429="Too many calls; try again after `Retry-After` seconds.")
_REFUSED = problems(s401="The token is not valid: expired, revoked or used before.")
_USER = {"id": 7, "email": "ada@example.com", "full_name": "Ada Lovelace"}
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"  # noqa: S105 an example for the docs
_ADDRESS = {
    "address_type": "shipping",
    "full_name": "Ada Lovelace",
    "phone": "+44 20 7946 0000",
    "address_line1": "12 St James's Square",
    "address_line2": "",
    "city": "London",
    "state": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "is_default": True,
}


class LoginThrottle(Throttle):
    """However many accounts one address tries."""

    scope = "login"
    refuses_without_cache = True


class LoginEmailThrottle(Throttle):
    """However many addresses try one account."""

    scope = "login_email"
    refuses_without_cache = True

    def subject(self, request: Request) -> str | None:
        email = request.data.get("email") if isinstance(request.data, dict) else None
        return email.strip().lower() or None if isinstance(email, str) else None


class RegisterThrottle(Throttle):
    scope = "register"
    refuses_without_cache = True


@extend_schema(
    tags=["accounts"],
    summary="Open an account",
    responses={201: RegisterSerializer, **_TOO_MANY},
    examples=[
        OpenApiExample(
            "Ada",
            {
                "email": "ada@example.com",
                "password": "correct horse battery staple",
                "full_name": "Ada Lovelace",
            },
            request_only=True,
        ),
        OpenApiExample("An account", _USER, response_only=True),
    ],
)
class RegisterView(CreateAPIView[User]):
    serializer_class = RegisterSerializer
    authentication_classes = ()
    throttle_classes = [RegisterThrottle]


@extend_schema(
    tags=["accounts"],
    summary="Log in",
    responses={
        200: TokenObtainPairView().get_serializer_class(),
        **problems(s401="The e-mail address and the password do not fit."),
        **_TOO_MANY,
    },
    examples=[
        OpenApiExample(
            "Ada",
            {"email": "ada@example.com", "password": "correct horse battery staple"},
            request_only=True,
        ),
        OpenApiExample("Tokens", {"access": _TOKEN, "refresh": _TOKEN}, response_only=True),
    ],
)
class LoginView(TokenObtainPairView):
    throttle_classes = [LoginThrottle, LoginEmailThrottle]


@extend_schema(
    tags=["accounts"],
    summary="A new access token",
    description="The refresh token is used up by this: keep the new one. If a used one comes"
    " again, it may be stolen: all refresh tokens of the account end. So does a new password"
    " end those from before.",
    responses={200: RefreshTokenSerializer, **_REFUSED},
    examples=[
        OpenApiExample("The old token", {"refresh": _TOKEN}, request_only=True),
        OpenApiExample("Tokens", {"access": _TOKEN, "refresh": _TOKEN}, response_only=True),
    ],
)
class RefreshTokenView(TokenRefreshView):
    serializer_class = RefreshTokenSerializer


@extend_schema(
    tags=["accounts"],
    summary="Log out",
    description="The refresh token is dead after this; an access token runs out by itself.",
    responses={204: OpenApiResponse(description="Revoked."), **_REFUSED},
    examples=[OpenApiExample("The token", {"refresh": _TOKEN}, request_only=True)],
)
class RevokeTokenView(TokenBlacklistView):
    serializer_class = RevokeTokenSerializer

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        super().post(request, *args, **kwargs)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(
    tags=["accounts"],
    examples=[
        OpenApiExample(
            "Ada", {**_USER, "joined_at": "2026-11-24T12:00:00Z"}, response_only=True
        ),
        OpenApiExample("A new name", {"full_name": "Ada King"}, request_only=True),
    ],
)
@extend_schema_view(
    get=extend_schema(summary="Who is logged in"),
    patch=extend_schema(summary="Change the name"),
)
class MeView(RetrieveUpdateAPIView[User]):
    serializer_class = MeSerializer
    permission_classes = [IsAuthenticated]
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> Any:
        return self.request.user


@extend_schema(
    tags=["accounts"],
    description="Those of the user or, without a token, of the guest whom the cookie names.",
    examples=[
        OpenApiExample("To send", {**_ADDRESS, "country": "United Kingdom"}, request_only=True),
        OpenApiExample("An address", {"id": 3, **_ADDRESS}, response_only=True),
    ],
)
@extend_schema_view(
    list=extend_schema(summary="Addresses"),
    create=extend_schema(
        summary="Add an address",
        responses={
            201: AddressSerializer,
            **problems(
                s400="Code `invalid`: `errors` names the fields. Code `address_limit`: there"
                " are as many as may be."
            ),
            **_TOO_MANY,
        },
    ),
    retrieve=extend_schema(summary="One address"),
    update=extend_schema(summary="Replace an address"),
    partial_update=extend_schema(summary="Change an address"),
    destroy=extend_schema(summary="Remove an address"),
)
class AddressViewSet(CustomerMixin, ModelViewSet[Address]):
    queryset = Address.objects.none()
    serializer_class = AddressSerializer
    lookup_url_kwarg = "address_id"

    def get_queryset(self) -> QuerySet[Address]:
        customer = customer_of(self.request)
        if customer is None:
            return Address.objects.none()
        return customer.addresses.select_related("customer").order_by("pk")

    @transaction.atomic
    def perform_create(self, serializer: BaseSerializer[Address]) -> None:
        serializer.save(customer=self.customer(self.request))

    @transaction.atomic
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # Before the address is read: what is written back must not be older than another's.
        customer = customer_of(request)
        if customer is not None:
            customer.lock()
        return super().update(request, *args, **kwargs)
