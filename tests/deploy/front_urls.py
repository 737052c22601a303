"""The shop, and beside it addresses that say what arrived, in every request so far."""

import os
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from shop.urls import handler400, handler404, handler500  # noqa: F401 what is tested


@csrf_exempt
def echo(request: HttpRequest) -> JsonResponse:
    """What Django sees of the request, which is also written down."""
    with Path(os.environ["TEST_ARRIVED"]).open("a") as arrived:
        arrived.write(f"{request.method} {request.get_full_path()}\n")
    return JsonResponse(
        {
            "method": request.method,
            "headers": dict(request.headers),
            "body": request.body.decode(),
            "host": request.get_host(),
            "is_secure": request.is_secure(),
            "caller": BaseThrottle().get_ident(Request(request)),
        }
    )


def said_by_itself(_request: HttpRequest) -> HttpResponse:
    """An answer that has headers that nginx would add, and a redirect inside nginx."""
    return HttpResponse(
        headers={
            "Content-Security-Policy": "default-src 'none'",
            "Retry-After": "77",
            "X-Frame-Options": "SAMEORIGIN",
            "X-Accel-Redirect": "/static/secret.txt",
        },
        status=503,
    )


urlpatterns = [
    path("api/echo/", echo),
    path("api/said/", said_by_itself),
    path("flower/echo/", echo),
    path("admin/echo/", echo),
    path("", include("shop.urls")),
]
