"""Whose request it is: the logged-in user's customer, or the guest that the cookie names."""

from typing import Any

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Customer, User
from shop.throttling import Throttle


def guest_cookie() -> str:
    """The cookie's name; by HTTPS one that no other host of the domain can set."""
    return "__Host-guest" if settings.COOKIE_SECURE else "guest"


def customer_of(request: Request) -> Customer | None:
    """The customer who asks, or None for somebody who has not put anything anywhere yet."""
    if isinstance(request.user, User):
        return Customer.objects.of_user(request.user)
    return guest_of(request)


def guest_of(request: Request) -> Customer | None:
    """The guest that the cookie names, whether or not somebody is logged in."""
    token = request.COOKIES.get(guest_cookie())
    return Customer.objects.of_guest(token) if token else None


class GuestThrottle(Throttle):
    """However many strangers of one address want to be a guest."""

    scope = "guest"


class CustomerMixin:
    """For views that write: finds the customer, or makes a guest and sets the cookie."""

    _new_token: str | None = None

    def customer(self, request: Request) -> Customer:
        found = customer_of(request)
        if found is None:
            self._throttle_new_guests(request)
            found, self._new_token = Customer.objects.new_guest()
        return found

    def _throttle_new_guests(self, request: Request) -> None:
        throttle = GuestThrottle()
        if not throttle.allow_request(request, self):  # type: ignore[arg-type]  # a view's part
            raise Throttled(throttle.wait())

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Called by the framework with every answer, also with errors."""
        answer: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *args, **kwargs
        )
        if self._new_token is not None:
            set_guest_cookie(answer, self._new_token)
        return answer


def set_guest_cookie(response: Response, token: str) -> None:
    response.set_cookie(
        guest_cookie(),
        token,
        max_age=settings.GUEST_COOKIE_AGE,
        httponly=True,
        secure=settings.COOKIE_SECURE,
        samesite="Lax",
    )
