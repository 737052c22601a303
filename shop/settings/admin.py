"""The admin's name, colors and navigation. Who may see what is Django's permissions."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.text import format_lazy


def _shop_name(_request: HttpRequest) -> str:
    return str(settings.SHOP_NAME)


def _icon(_request: HttpRequest) -> str:
    return static("shop/plug.svg")


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    app, _, name = model.partition(".")
    return lambda request: bool(request.user.has_perm(f"{app}.view_{name}"))


def _item(title: str, icon: str, model: str, *, query: str = "") -> dict[str, Any]:
    """A link to the list of `model` ("app.name"), for whoever may view it."""
    changelist = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": format_lazy("{}{}", changelist, query),
        "permission": _may_view(model),
    }


UNFOLD = {
    "SITE_TITLE": _shop_name,
    "SITE_HEADER": _shop_name,
    "SITE_SUBHEADER": "Shop administration",
    "SITE_SYMBOL": "outlet",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SITE_URL": "/",
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "tasks.dashboard.numbers",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% 0.014 180.72)",
            "100": "oklch(95.3% 0.051 180.801)",
            "200": "oklch(91% 0.096 180.426)",
            "300": "oklch(85.5% 0.138 181.071)",
            "400": "oklch(77.7% 0.152 181.912)",
            "500": "oklch(70.4% 0.14 182.503)",
            "600": "oklch(60% 0.118 184.704)",
            "700": "oklch(51.1% 0.096 186.391)",
            "800": "oklch(43.7% 0.078 188.216)",
            "900": "oklch(38.6% 0.063 188.416)",
            "950": "oklch(27.7% 0.046 192.524)",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": "Overview",
                        "icon": "dashboard",
                        "link": reverse_lazy("admin:index"),
                    }
                ],
            },
            {
                "title": "Sales",
                "items": [
                    _item("Orders", "receipt_long", "orders.order"),
                    _item("Carts", "shopping_cart", "cart.cart"),
                ],
            },
            {
                "title": "Catalogue",
                "items": [
                    _item("Products", "inventory_2", "catalog.product"),
                    _item("Variants and stock", "barcode", "catalog.variant"),
                    _item("Stock movements", "swap_vert", "catalog.stockmovement"),
                    _item("Categories", "account_tree", "catalog.category"),
                    _item("Brands", "sell", "catalog.brand"),
                ],
            },
            {
                "title": "Search",
                "items": [
                    _item("Synonyms", "compare_arrows", "search.synonym"),
                    _item("Boosts", "rocket_launch", "search.boost"),
                    _item("Empty searches", "search_off", "search.emptysearch"),
                    _item("Indexes", "manage_search", "search.searchindex"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _item("Customers", "person", "accounts.customer"),
                    _item("Addresses", "home_pin", "accounts.address"),
                    _item("Users", "badge", "accounts.user"),
                    _item("Groups", "group", "auth.group"),
                ],
            },
            {
                "title": "Pipeline",
                "items": [
                    {
                        "title": "Stuck",
                        "icon": "traffic_jam",
                        "link": reverse_lazy("admin:stuck"),
                        "permission": "tasks.stuck_page.may_view",
                    },
                    _item("Dead letters", "heart_broken", "tasks.deadletter"),
                    _item("Outbox", "outbox", "outbox.outboxmessage"),
                    _item("E-mails", "mail", "mail.outgoingemail"),
                    _item("Heartbeats", "cardiology", "tasks.heartbeat"),
                    _item(
                        "Task failures",
                        "error",
                        "django_celery_results.taskresult",
                        query="?status__exact=FAILURE",
                    ),
                ],
            },
        ],
    },
}

LOGIN_REDIRECT_URL = "admin:index"

# Times as people who compare them with logs write them, instead of "10:16 p.m.".
FORMAT_MODULE_PATH = "shop.settings.formats"
