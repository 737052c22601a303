"""Categories, brands, and products with their variants."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.urls import reverse
from tree_queries.forms import TreeNodeChoiceField
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter

from apps.catalog.admin.attributes import AttributesField
from apps.catalog.admin.spreadsheets import SpreadsheetMixin
from apps.catalog.models import Brand, Category, Product, Variant
from shop.admin import (
    DropdownFilter,
    ModelAdmin,
    ModelForm,
    TabularInline,
    label,
    link,
    log_changes,
)

# At this many available units or fewer, somebody should order more.
LOW = 5


class _TreeList(ChangeList):
    """Each category directly below the one that it stands in."""

    def get_ordering(self, _request: HttpRequest, _queryset: QuerySet[Any]) -> list[Any]:
        return ["tree_ordering"]


@admin.register(Category)
class CategoryAdmin(ModelAdmin[Category]):
    list_display = ("indented_name", "slug", "products")
    list_per_page = 500
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    fields = ("parent", "name", "slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        categories: Any = super().get_queryset(request)
        tree: QuerySet[Category] = categories.with_tree_fields().order_siblings_by("name")
        return tree

    def get_changelist(self, *_args: Any, **_kwargs: Any) -> type[ChangeList]:
        return _TreeList

    @admin.display(description="name")
    def indented_name(self, category: Category) -> str:
        indent = "\u2003" * (2 * category.tree_depth)
        return f"{indent}{'└ ' if indent else ''}{category.name}"

    @admin.display(description="products")
    def products(self, category: Category) -> str:
        url = reverse("admin:catalog_product_changelist")
        return link(f"{url}?shelf={category.pk}", "Show products")


@admin.register(Brand)
class BrandAdmin(ModelAdmin[Brand]):
    list_display = ("name", "slug")
    search_fields = ("name",)
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}


class ShelfFilter(DropdownFilter):
    """Products of a category and of all categories inside it."""

    title = "category"
    parameter_name = "shelf"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        categories = Category.objects.with_tree_fields().order_siblings_by("name")
        return [
            (str(category.pk), "\u2003" * category.tree_depth + category.name)
            for category in categories
        ]

    def queryset(self, _request: HttpRequest, products: QuerySet[Any]) -> QuerySet[Any]:
        shelf = Category.objects.filter(pk=self.value()).first() if self.value() else None
        if shelf is None:
            return products
        return products.filter(category__in=shelf.descendants(include_self=True))


class StockFilter(DropdownFilter):
    """By `available`, which the list's queryset has to be annotated with."""

    title = "stock"
    parameter_name = "stock"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("in", "In stock"), ("low", f"Low: {LOW} or fewer"), ("out", "Sold out")]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        conditions: dict[str | None, dict[str, int]] = {
            "in": {"available__gt": 0},
            "low": {"available__gt": 0, "available__lte": LOW},
            "out": {"available__lte": 0},
        }
        return rows.filter(**conditions.get(self.value(), {}))


def stock_label(available: int) -> str:
    """The number as a label: red when there is none, orange when there are few."""
    if available <= 0:
        return label("sold out", color="danger")
    return label(str(available), color="warning" if available <= LOW else "success")


class VariantInline(TabularInline[Variant, Product]):
    model = Variant
    extra = 0
    show_change_link = True
    fields = ("sku", "name", "price", "is_active", "available")
    readonly_fields = ("available",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).select_related("stock").order_by("sku")

    @admin.display(description="available")
    def available(self, variant: Variant) -> int:
        return variant.stock.available if hasattr(variant, "stock") else 0


class ProductForm(ModelForm[Product]):
    attributes = AttributesField(required=False)

    class Meta:
        model = Product
        fields = "__all__"


@admin.register(Product)
class ProductAdmin(SpreadsheetMixin, ModelAdmin[Product]):
    list_display = ("name", "category", "brand", "is_published", "available")
    list_select_related = ("category", "brand")
    list_filter = (
        ShelfFilter,
        ("brand", RelatedDropdownFilter),
        StockFilter,
        ("is_published", BooleanRadioFilter),
    )
    list_filter_submit = True
    search_fields = ("name", "variants__sku")
    search_help_text = "Name or SKU"
    ordering = ("name", "pk")
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("brand",)
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("name", "slug", ("category", "brand"), "is_published")}),
        (None, {"fields": ("description", "attributes", "created_at")}),
    )
    form = ProductForm
    inlines = (VariantInline,)
    actions = ("publish", "unpublish")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).with_available()  # type: ignore[attr-defined,no-any-return]  # its own QuerySet

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        if db_field.name == "category":
            kwargs["form_class"] = TreeNodeChoiceField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(ordering="available")
    def available(self, product: Any) -> str:
        return stock_label(product.available)

    @admin.action(permissions=["change"], description="Publish")
    def publish(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self._set_published(request, products, is_published=True)

    @admin.action(permissions=["change"], description="Unpublish")
    def unpublish(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self._set_published(request, products, is_published=False)

    def _set_published(
        self, request: HttpRequest, products: QuerySet[Product], *, is_published: bool
    ) -> None:
        changed = list(products.exclude(is_published=is_published))
        Product.objects.filter(pk__in=[product.pk for product in changed]).update(
            is_published=is_published
        )
        word = "Published" if is_published else "Unpublished"
        log_changes(request, changed, f"{word}.")
        self.message_user(request, f"{word}: {len(changed)}.", messages.SUCCESS)
