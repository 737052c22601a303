"""Addresses of a shop with one page that shows a price and one call that sets it."""

from typing import Any

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from apps.catalog.models import Variant
from shop.private import private


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


urlpatterns = [
    path("price/<int:pk>/", price_tag),
    path("fails/", fails),
    *private([path("private/<int:pk>/", price_tag)]),
]
