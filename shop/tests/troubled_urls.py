# ruff: noqa: ARG002 a view takes a request, whether or not it looks at it
"""Addresses for tests of the errors: each view ends as its name says."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import exceptions
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.errors import ShopError
from shop.urls import handler400, handler404, handler500  # noqa: F401 what is tested

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'secret detail' USING ERRCODE = '{}'; END $$"


class TroubledView(APIView):
    authentication_classes = ()


class BugView(TroubledView):
    def get(self, request: Request) -> Response:
        raise RuntimeError("secret detail")


class SqlView(TroubledView):
    def get(self, request: Request, sqlstate: str) -> Response:
        with connection.cursor() as cursor:
            cursor.execute(RAISE.format(sqlstate))
        return Response()


class LostConnectionView(TroubledView):
    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return Response()


class RefusedView(TroubledView):
    def get(self, request: Request) -> Response:
        raise ShopError("Too late.", code_of_tea="oolong")

    def post(self, request: Request) -> Response:
        raise exceptions.ValidationError("Not like this.")

    def put(self, request: Request) -> Response:
        return Response(request.data)


class StaffView(TroubledView):
    permission_classes = [IsAdminUser]

    def get(self, request: Request) -> Response:
        return Response()


def plain_bug(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


urlpatterns = [
    path("api/bug/", BugView.as_view()),
    path("api/sql/<str:sqlstate>/", SqlView.as_view()),
    path("api/lost-connection/", LostConnectionView.as_view()),
    path("api/refused/", RefusedView.as_view()),
    path("api/staff/", StaffView.as_view()),
    path("page-with-bug/", plain_bug),
    path("", include("shop.urls")),
]
