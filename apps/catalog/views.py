"""The catalogue over HTTP: read only, and only what is on sale."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import ListAPIView, RetrieveAPIView, get_object_or_404

from apps.catalog.filters import ProductFilter
from apps.catalog.models import Brand, Product, ProductQuerySet
from apps.catalog.serializers import (
    BrandSerializer,
    CategorySerializer,
    ProductDetailSerializer,
    ProductSerializer,
)
from apps.catalog.shelves import all_shelves
from shop.paging import KeysetPagination

_BRAND: dict[str, Any] = {"id": 2, "slug": "hardwick", "name": "Hardwick"}
_CATEGORY: dict[str, Any] = {"id": 5, "slug": "mugs", "name": "Mugs"}
PRODUCT_EXAMPLE: dict[str, Any] = {
    "id": 17,
    "slug": "enamel-mug",
    "name": "Enamel mug",
    "brand": _BRAND,
    "category": _CATEGORY,
    "price_from": "9.50",
    "in_stock": True,
    "variants": [
        {"id": 31, "sku": "MUG-BLUE", "name": "Blue", "price": "9.50", "available": 12},
        {"id": 32, "sku": "MUG-RED", "name": "Red", "price": "9.90", "available": 0},
    ],
}
_SHELF: dict[str, Any] = {**_CATEGORY, "product_count": 8, "children": []}


class PublicMixin:
    """Nobody is asked who he is: a token that has expired does not close the shop."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()


@extend_schema(
    tags=["catalog"],
    summary="Products",
    examples=[OpenApiExample("A page of products", PRODUCT_EXAMPLE, response_only=True)],
)
class ProductsView(PublicMixin, ListAPIView[Product]):
    queryset = Product.objects.published()
    serializer_class = ProductSerializer
    pagination_class = KeysetPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = ProductFilter

    def get_queryset(self) -> ProductQuerySet:
        products = Product.objects.published().select_related("category", "brand")
        return products.with_variants()


@extend_schema(
    tags=["catalog"],
    summary="One product",
    parameters=[OpenApiParameter("key", str, "path", description="The id or the slug.")],
    examples=[
        OpenApiExample(
            "A product",
            {
                **PRODUCT_EXAMPLE,
                "description": "Keeps its colour in the dishwasher.",
                "attributes": {"Colour": ["Blue", "Red"], "Material": ["Enamelled steel"]},
            },
            response_only=True,
        )
    ],
)
class ProductView(PublicMixin, RetrieveAPIView[Product]):
    serializer_class = ProductDetailSerializer

    def get_object(self) -> Product:
        key: str = self.kwargs["key"]
        products = Product.objects.on_sale().select_related("category", "brand")
        # An id has at most 19 digits; a longer row of them is nothing at all.
        is_id = key.isdigit() and len(key) < 20
        wanted = Q(pk=int(key)) if is_id else Q(slug=key)
        return get_object_or_404(products.with_variants(), wanted)


@extend_schema(
    tags=["catalog"],
    summary="The tree of categories",
    examples=[
        OpenApiExample(
            "A category with one inside it",
            {
                "id": 1,
                "slug": "kitchen",
                "name": "Kitchen",
                "product_count": 31,
                "children": [_SHELF],
            },
            response_only=True,
        )
    ],
)
class CategoriesView(PublicMixin, ListAPIView[Any]):
    serializer_class = CategorySerializer

    def get_queryset(self) -> Any:
        return all_shelves()


@extend_schema(
    tags=["catalog"],
    summary="Brands",
    examples=[OpenApiExample("A brand", {**_BRAND, "product_count": 31}, response_only=True)],
)
class BrandsView(PublicMixin, ListAPIView[Brand]):
    serializer_class = BrandSerializer

    def get_queryset(self) -> QuerySet[Brand]:
        return Brand.objects.annotate(
            product_count=Count("products", filter=Q(products__in=Product.objects.on_sale()))
        ).order_by("name", "pk")
