"""What the list of products can be narrowed down and ordered by."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from apps.catalog.models import (
    Brand,
    Category,
    Product,
    ProductQuerySet,
    Variant,
    VariantQuerySet,
)

ORDERS = {
    "newest": "-created_at",
    "name": "name",
    "-name": "-name",
    "price": "price_from",
    "-price": "-price_from",
}
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What the column of the price can hold: PostgreSQL does not even compare with anything else.
_PRICE: dict[str, Any] = {"min_value": Decimal(0), "max_digits": 12, "decimal_places": 2}


class PriceField(forms.DecimalField):
    """Plain digits, not all that Python takes for a number."""

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not _PLAIN_DECIMAL.fullmatch(value):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class PriceFilter(filters.NumberFilter):  # type: ignore[misc]  # the library carries no types
    field_class = PriceField


class ProductFilter(filters.FilterSet):  # type: ignore[misc]  # the library carries no types
    category = filters.ModelChoiceFilter(
        queryset=Category.objects.all(),
        to_field_name="slug",
        help_text="A category's slug; what is in the categories inside it counts, too.",
    )
    brand = filters.ModelChoiceFilter(
        queryset=Brand.objects.all(), to_field_name="slug", help_text="A brand's slug."
    )
    price_min = PriceFilter(**_PRICE, help_text="Some variant costs at least this.")
    price_max = PriceFilter(**_PRICE, help_text="The same variant costs at most this.")
    # Not a BooleanFilter, which takes every other word for "not asked".
    in_stock = extend_schema_field(bool)(
        filters.TypedChoiceFilter(
            choices=[("true", "true"), ("false", "false")],
            coerce=lambda text: text == "true",
            empty_value=None,
            help_text="Whether that variant can be bought now.",
        )
    )
    order = filters.ChoiceFilter(
        choices=[(name, name) for name in ORDERS], help_text="`newest` if not given."
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def filter_queryset(self, queryset: ProductQuerySet) -> ProductQuerySet:
        """All conditions at once: those on variants must meet in one and the same variant."""
        wanted = self.form.cleaned_data
        variants = _variants(wanted["price_min"], wanted["price_max"])
        if wanted["in_stock"]:
            queryset = queryset.with_a(variants.in_stock())
        else:
            queryset = queryset.with_a(variants)
            if wanted["in_stock"] is False:
                queryset = queryset.without_a(variants.in_stock())
        if wanted["category"]:
            inside = Category.objects.descendants(wanted["category"], include_self=True)
            queryset = queryset.filter(category__in=inside)
        if wanted["brand"]:
            queryset = queryset.filter(brand=wanted["brand"])
        return _in_order(queryset, wanted["order"] or "newest")


def _variants(price_min: Decimal | None, price_max: Decimal | None) -> VariantQuerySet:
    variants = Variant.objects.filter(is_active=True)
    if price_min is not None:
        variants = variants.filter(price__gte=price_min)
    if price_max is not None:
        variants = variants.filter(price__lte=price_max)
    return variants


def _in_order(products: ProductQuerySet, order: str) -> ProductQuerySet:
    if "price" in order:
        products = products.with_price()
    return products.order_by(ORDERS[order])
