"""Answers that are about one person."""

from django.urls import URLPattern
from django.views.decorators.cache import cache_control

from shop.routing.scope import primary_only


def private(routes: list[URLPattern]) -> list[URLPattern]:
    """The routes, whose answers no cache may keep and no standby may give."""
    keep_nowhere = cache_control(private=True, no_store=True)
    for route in routes:
        route.callback = primary_only(keep_nowhere(route.callback))
    return routes
