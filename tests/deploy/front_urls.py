"""The shop, and beside it addresses that say what arrived, in every request so far."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
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


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """One piece at once, and the other when a file is there."""

    def pieces() -> Iterator[bytes]:
        yield b"first\n"
        while not Path(os.environ["TEST_GO_ON"]).exists():
            time.sleep(0.02)
        yield b"second\n"

    headers = {"X-Accel-Buffering": "no"}
    return StreamingHttpResponse(pieces(), headers=headers, content_type="text/event-stream")


urlpatterns = [
    path("api/echo/", echo),
    path("api/said/", said_by_itself),
    path("api/stream/", stream),
    path("flower/echo/", echo),
    path("admin/echo/", echo),
    path("", include("shop.urls")),
]
