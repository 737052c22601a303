"""The page at `/`: which doors this backend has."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    facts = {"shop": settings.SHOP_NAME, "flower": settings.FLOWER_URL}
    return render(request, "shop/index.html", facts)
