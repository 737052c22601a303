"""What can be searched for, and what a search answers."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Product
from apps.catalog.search.facets import LONGEST, MOST_ATTRIBUTES
from apps.catalog.search.wanted import DEEPEST, SORTS, Wanted
from apps.catalog.serializers import ProductSerializer

_LONGEST_QUERY = 300  # characters; a product's whole title is shorter
_MOST_SELECTED = 50  # values of one facet
_LARGEST_PAGE = 100
_FLAGS = [("true", "true"), ("false", "false")]


class SlugsField(serializers.ListField):
    child = serializers.CharField(max_length=110)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=_MOST_SELECTED, **kwargs)


class _NumberField(serializers.IntegerField):
    """Of the digits 0 to 9 and nothing else: Python reads 1_0 and ١٠ as well."""

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch("[0-9]+", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"}
)
class _PriceField(serializers.DecimalField):
    """Like 9.50, 9.5 or 9."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=12, decimal_places=2, min_value=Decimal(0), required=False, **kwargs
        )

    def to_internal_value(self, data: Any) -> Decimal:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class TypedSerializer(serializers.Serializer[Any]):
    """What somebody has typed."""

    q = serializers.CharField(
        allow_blank=True,
        default="",
        max_length=_LONGEST_QUERY,
        help_text="Words in any order. A word without a hit is taken for one like it.",
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuses what nobody would look at: a misspelt name or an empty value shows everything
        otherwise, and of two values for what has one the last would win."""
        errors: dict[str, list[str]] = {}
        for name, values in data.lists():
            if name not in self.fields:
                errors[name] = ["There is no such parameter."]
            elif len(values) > 1 and not isinstance(self.fields[name], serializers.ListField):
                errors[name] = ["This may be there only once."]
            elif "" in values and name != "q":
                errors[name] = ["This may not be empty."]
        if errors:
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def typed(self) -> str:
        """The beginning of a search that was asked for; raises ValidationError."""
        self.is_valid(raise_exception=True)
        text: str = self.validated_data["q"]
        return text


class WantedSerializer(TypedSerializer):
    """A search. `brand`, `category` and `attribute` may be there several times."""

    brand = SlugsField(help_text="Slugs of brands.")
    category = SlugsField(help_text="Slugs of categories; with what is in those inside.")
    attribute = serializers.ListField(
        child=serializers.CharField(max_length=2 * LONGEST + 1),
        required=False,
        max_length=_MOST_SELECTED,
        help_text="`Colour:Red`. Values of one name are alternatives.",
    )
    price_min = _PriceField(help_text="Some variant costs this or more.")
    price_max = _PriceField(help_text="The same variant costs this or less.")
    in_stock = serializers.ChoiceField(
        _FLAGS, required=False, help_text="Whether some variant can be bought now."
    )
    sort = serializers.ChoiceField(SORTS, default="relevance")
    page = _NumberField(min_value=1, default=1, help_text=f"Up to the {DEEPEST:,}th product.")
    page_size = _NumberField(
        min_value=1,
        default=Wanted.page_size,
        help_text=f"More than {_LARGEST_PAGE} are cut to that.",
    )

    def validate_attribute(self, texts: list[str]) -> Mapping[str, tuple[str, ...]]:
        selected: dict[str, list[str]] = {}
        for text in texts:
            name, colon, value = text.partition(":")
            if not (name and colon and value):
                raise serializers.ValidationError(f"Not like Colour:Red: {text}")
            selected.setdefault(name, []).append(value)
        if len(selected) > MOST_ATTRIBUTES:
            raise serializers.ValidationError(f"More than {MOST_ATTRIBUTES} names.")
        return {name: tuple(values) for name, values in selected.items()}

    def validate_page_size(self, size: int) -> int:
        return min(size, _LARGEST_PAGE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["page"] * attrs["page_size"] > DEEPEST:
            reason = f"Beyond the {DEEPEST:,}th product: narrow the search down."
            raise serializers.ValidationError({"page": [reason]})
        return attrs

    def wanted(self) -> Wanted:
        """The search that was asked for; raises ValidationError."""
        self.is_valid(raise_exception=True)
        given = self.validated_data
        in_stock = given.get("in_stock")
        return Wanted(
            q=given["q"],
            brands=tuple(given.get("brand", ())),
            categories=tuple(given.get("category", ())),
            attributes=given.get("attribute", {}),
            price_min=given.get("price_min"),
            price_max=given.get("price_max"),
            in_stock=None if in_stock is None else in_stock == "true",
            sort=given["sort"],
            page=given["page"],
            page_size=given["page_size"],
        )


class HitSerializer(ProductSerializer):
    """A product `with_variants`, with the `hit` that it is."""

    name_html = serializers.CharField(
        source="hit.name_html",
        help_text="The name, escaped, with `<mark>` around what matched.",
    )
    excerpt_html = serializers.CharField(
        source="hit.excerpt_html",
        help_text="Of the description, where something matched in it.",
    )

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "name_html", "excerpt_html"]


class FacetValueSerializer(serializers.Serializer[Any]):
    value = serializers.CharField(help_text="What to select it by.")
    # The base class has a property of this name, of which nobody asks a described answer.
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()
    selected = serializers.BooleanField()


class FacetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="`brand`, ..., or an attribute's.")
    type = serializers.ChoiceField(["terms", "attribute", "bool", "range"])
    values = FacetValueSerializer(many=True)
    lowest = serializers.DecimalField(12, 2, allow_null=True, help_text="Of a range.")
    highest = serializers.DecimalField(12, 2, allow_null=True)


class _AnswerSerializer(serializers.Serializer[Any]):
    engine = serializers.CharField(help_text="Who has answered, such as `postgres`.")
    degraded = serializers.BooleanField(help_text="The search engine should have, and is away.")


class FoundSerializer(_AnswerSerializer):
    """A page of results. A facet counts what all selections but its own leave over."""

    relaxed = serializers.BooleanField(
        help_text="Nothing has all of the words: these products have most, or words like them."
    )
    did_you_mean = serializers.CharField(allow_null=True, help_text="What it was taken for.")
    total = serializers.IntegerField()
    total_relation = serializers.ChoiceField(["eq", "gte"], help_text="`gte`: or more.")
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    facets_are_exact = serializers.BooleanField(
        help_text="Not when so much was found that not all of it is counted."
    )
    facets = FacetSerializer(many=True)
    results = HitSerializer(many=True)


class SuggestedProductSerializer(ProductSerializer):
    class Meta(ProductSerializer.Meta):
        fields = ["id", "slug", "name", "price_from", "in_stock"]


class SuggestionsSerializer(_AnswerSerializer):
    queries = serializers.ListField(
        child=serializers.CharField(), help_text="Searches that find something."
    )
    products = SuggestedProductSerializer(many=True)


def as_results(hits: Any, products: Mapping[int, Product]) -> list[Product]:
    """The products of the hits, each with its hit; without those that have gone meanwhile."""
    found = [(hit, products.get(hit.product_id)) for hit in hits]
    for hit, product in found:
        if product is not None:
            product.hit = hit  # type: ignore[attr-defined]
    return [product for _, product in found if product is not None]
