"""Addresses of a shop with one page that shows a price and one call that sets it."""

from contextlib import closing
from typing import Any

from django.db import connection, connections
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Variant
from shop.private import private
from shop.routing.scope import replica_reads
from shop.tests.troubled_urls import RAISE


@csrf_exempt
def price_tag(request: HttpRequest, pk: int) -> JsonResponse:
    """POST price=7 sets it, every other time by SQL that no router sees; GET shows it."""
    if request.method == "POST":
        _set_price(pk, int(request.POST["price"]))
    variant = Variant.objects.get(pk=pk)
    return JsonResponse({"price": int(variant.price)})


def _set_price(pk: int, price: int) -> None:
    if price % 2:
        Variant.objects.filter(pk=pk).update(price=price)
        return
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_variant SET price = %s WHERE id = %s", [price, pk])


def fails(_request: HttpRequest, **_: Any) -> JsonResponse:
    """Writes, and ends with a bug."""
    Variant.objects.update(price=99)
    raise ZeroDivisionError


def fails_there(_request: HttpRequest, pk: int, sqlstate: str) -> JsonResponse:
    """A page whose second query no standby answers: it ends with that code."""
    variant = Variant.objects.get(pk=pk)
    _refuse_on_standby(variant, sqlstate)
    return JsonResponse({"price": int(variant.price)})


def _refuse_on_standby(variant: Variant, sqlstate: str) -> None:
    database = str(variant._state.db)
    if database != "default":
        with connections[database].cursor() as cursor:
            cursor.execute(RAISE.format(sqlstate))


def slow_there(_request: HttpRequest, pk: int, seconds: str) -> JsonResponse:
    """A page whose second query takes so long on a standby."""
    variant = Variant.objects.get(pk=pk)
    if (database := str(variant._state.db)) != "default":
        with connections[database].cursor() as cursor:
            cursor.execute("SELECT price, pg_sleep(%s) FROM catalog_variant", [seconds])
    return JsonResponse({"price": int(variant.price)})


def loses_its_connection(_request: HttpRequest) -> JsonResponse:
    """Writes, and then the primary ends the session."""
    Variant.objects.update(price=99)
    pid = connection.connection.info.backend_pid
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    return JsonResponse({})


class Unlucky(APIView):
    """GET: the standby answers, and the primary is gone. POST: the standby fails."""

    authentication_classes = ()

    def get(self, _request: Request, pk: int) -> Response:
        Variant.objects.get(pk=pk)
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response()

    def post(self, _request: Request, pk: int) -> Response:
        with replica_reads():
            _refuse_on_standby(Variant.objects.get(pk=pk), "40001")
        return Response()


urlpatterns = [
    path("price/<int:pk>/", price_tag),
    path("fails/", fails),
    path("there/<int:pk>/<str:sqlstate>/", fails_there),
    path("slow/<int:pk>/<str:seconds>/", slow_there),
    path("lost/", csrf_exempt(loses_its_connection)),
    path("unlucky/<int:pk>/", Unlucky.as_view()),
    *private([path("private/<int:pk>/", price_tag)]),
]
