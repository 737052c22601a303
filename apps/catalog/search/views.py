"""Search over HTTP. What is on sale, its price and stock are read from their own rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Product
from apps.catalog.search import searching
from apps.catalog.search.serializers import (
    FoundSerializer,
    SuggestionsSerializer,
    TypedSerializer,
    WantedSerializer,
    as_results,
)
from apps.catalog.views import PRODUCT_EXAMPLE, PublicMixin
from shop.schema import problems
from shop.throttling import Throttle

_MOST_SUGGESTED = 8
_TOO_OFTEN = problems(s429="Too many calls; try again after `Retry-After` seconds.")
_FOUND = {
    "engine": "postgres",
    "degraded": False,
    "relaxed": False,
    "did_you_mean": None,
    "total": 1,
    "total_relation": "eq",
    "page": 1,
    "page_size": 24,
    "facets_are_exact": True,
    "facets": [
        {
            "name": "brand",
            "type": "terms",
            "values": [
                {"value": "hardwick", "label": "Hardwick", "count": 1, "selected": True}
            ],
            "lowest": None,
            "highest": None,
        },
        {"name": "price", "type": "range", "values": [], "lowest": "9.50", "highest": "9.90"},
        {
            "name": "Colour",
            "type": "attribute",
            "values": [
                {"value": "Blue", "label": "Blue", "count": 1, "selected": False},
                {"value": "Red", "label": "Red", "count": 1, "selected": False},
            ],
            "lowest": None,
            "highest": None,
        },
    ],
    "results": [
        {
            **PRODUCT_EXAMPLE,
            "name_html": "Enamel <mark>mug</mark>",
            "excerpt_html": "",
        }
    ],
}
_SUGGESTED = {
    "engine": "postgres",
    "degraded": False,
    "queries": ["mug", "mugs"],
    "products": [
        {
            name: PRODUCT_EXAMPLE[name]
            for name in ("id", "slug", "name", "price_from", "in_stock")
        }
    ],
}


# A name, and what may stand there, by parameter.
_ASKED: dict[str, tuple[str, Any]] = {
    "q": ("Words", "enamel mug"),
    "brand": ("One of two brands", ["hardwick", "larch"]),
    "category": ("One category", ["kitchen"]),
    "attribute": ("Red or blue, and of steel", ["Colour:Red", "Colour:Blue", "Made of:Steel"]),
    "price_min": ("From nine euros", "9"),
    "price_max": ("Up to nine euros fifty", "9.50"),
    "in_stock": ("What can be bought now", "true"),
    "sort": ("The cheapest first", "price"),
    "page": ("The second page", 2),
    "page_size": ("Twelve products", 12),
}
_TYPED = {"q": ("The first letters", "mu")}


def _examples(asked: Mapping[str, tuple[str, Any]]) -> list[OpenApiExample]:
    return [
        OpenApiExample(name, value, parameter_only=(parameter, "query"))
        for parameter, (name, value) in asked.items()
    ]


class SearchThrottle(Throttle):
    scope = "search"


class SuggestThrottle(Throttle):
    scope = "suggest"


class SearchView(PublicMixin, APIView):
    throttle_classes = (SearchThrottle,)

    @extend_schema(
        tags=["catalog"],
        summary="Search",
        description="Without `q` it finds everything. Selections inside a facet are"
        " alternatives, across facets all must hold.",
        parameters=[WantedSerializer],
        responses={200: FoundSerializer, **_TOO_OFTEN},
        examples=[
            *_examples(_ASKED),
            OpenApiExample("A page of results", _FOUND, response_only=True),
        ],
    )
    def get(self, request: Request) -> Response:
        wanted = WantedSerializer(data=request.query_params).wanted()
        found = searching.search(wanted)
        ids = [hit.product_id for hit in found.hits]
        answer = {
            **vars(found),
            "page": wanted.page,
            "page_size": wanted.page_size,
            "results": as_results(found.hits, _on_sale(ids)),
        }
        return Response(FoundSerializer(answer).data)


class SuggestView(PublicMixin, APIView):
    throttle_classes = (SuggestThrottle,)

    @extend_schema(
        tags=["catalog"],
        summary="Suggestions",
        description="For a field that somebody types into. Browsers keep an answer a minute.",
        parameters=[TypedSerializer],
        responses={200: SuggestionsSerializer, **_TOO_OFTEN},
        examples=[
            *_examples(_TYPED),
            OpenApiExample("After “mu”", _SUGGESTED, response_only=True),
        ],
    )
    def get(self, request: Request) -> Response:
        typed = TypedSerializer(data=request.query_params).typed()
        suggested = searching.suggest(typed, limit=_MOST_SUGGESTED)
        products = _on_sale(suggested.product_ids)
        in_order = [products[pk] for pk in suggested.product_ids if pk in products]
        answer = SuggestionsSerializer({**vars(suggested), "products": in_order})
        return Response(answer.data, headers={"Cache-Control": "max-age=60"})


def _on_sale(ids: Sequence[int]) -> dict[int, Any]:
    products = Product.objects.on_sale().select_related("category", "brand")
    return {product.pk: product for product in products.with_variants().filter(pk__in=ids)}
