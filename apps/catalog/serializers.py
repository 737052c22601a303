"""What a shopper sees of the catalogue."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Brand, Category, Product, Variant
from apps.catalog.shelves import Shelf


class VariantSerializer(serializers.ModelSerializer[Variant]):
    available = serializers.IntegerField(min_value=0, help_text="Units that can be bought now.")

    class Meta:
        model = Variant
        fields = ["id", "sku", "name", "price", "available"]
        read_only_fields = fields

    def to_representation(self, instance: Any) -> dict[str, Any]:
        # By hand: a page may hold hundreds of variants, and field by field is 20 times slower.
        return {
            "id": instance.pk,
            "sku": instance.sku,
            "name": instance.name,
            "price": str(instance.price),
            "available": instance.available,
        }


class CategoryNameSerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ["id", "slug", "name"]


class BrandNameSerializer(serializers.ModelSerializer[Brand]):
    class Meta:
        model = Brand
        fields = ["id", "slug", "name"]


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product `with_variants`."""

    category = CategoryNameSerializer()
    brand = BrandNameSerializer(allow_null=True)
    price_from = serializers.SerializerMethodField(help_text="Of the cheapest variant.")
    in_stock = serializers.SerializerMethodField(help_text="Whether a variant is available.")
    variants = VariantSerializer(source="offers", many=True, help_text="The cheapest first.")

    class Meta:
        model = Product
        fields = [
            "id",
            "slug",
            "name",
            "brand",
            "category",
            "price_from",
            "in_stock",
            "variants",
        ]

    @extend_schema_field(serializers.DecimalField(12, 2))
    def get_price_from(self, product: Any) -> str:
        return str(product.offers[0].price)

    def get_in_stock(self, product: Any) -> bool:
        return any(variant.available > 0 for variant in product.offers)


class ProductDetailSerializer(ProductSerializer):
    attributes = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What it is like, by name; each name has one value or several.",
    )

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "description", "attributes"]


class CategorySerializer(serializers.Serializer[Shelf]):
    """A category with those inside it."""

    id = serializers.IntegerField(source="category.pk")
    slug = serializers.CharField(source="category.slug")
    name = serializers.CharField(source="category.name")
    product_count = serializers.IntegerField(help_text="Here and in the categories inside.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "children": CategorySerializer(many=True)}


class BrandSerializer(serializers.ModelSerializer[Brand]):
    product_count = serializers.IntegerField()

    class Meta:
        model = Brand
        fields = ["id", "slug", "name", "product_count"]
