"""What the rows of a sheet would change: checked against each other and against the shop.

Nothing is written here, so a preview locks nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.db.models.functions import Lower

from apps.catalog.importing.addresses import free_slug, wanted_slug
from apps.catalog.models import Brand, Category, Product, Variant
from apps.catalog.spreadsheet import values
from apps.catalog.spreadsheet.exporting import (
    paths_of_categories,
    said_of_product,
    said_of_variant,
    text_of,
)

Cells = Mapping[str, str]
MayMake = Callable[[type[Model]], bool]


class RowProblems(Exception):
    """Each thing that is wrong with a row, as a sentence, in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True, kw_only=True)
class Change:
    column: str
    old: str
    new: str


@dataclass(kw_only=True)
class PlannedProduct:
    """A product that rows speak of; `said` has the row that said it first."""

    product: Product
    before: dict[str, Any]  # empty if it is new
    said: dict[str, tuple[int, Any]] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return not self.before

    @property
    def changes(self) -> list[Change]:
        return _changes(
            self.before, {column: value for column, (_, value) in self.said.items()}
        )


@dataclass(kw_only=True)
class PlannedRow:
    variant: Variant
    planned: PlannedProduct
    said: dict[str, Any]  # of the variant
    is_new: bool

    @property
    def changes(self) -> list[Change]:
        before = {} if self.is_new else said_of_variant(self.variant)
        return [*self.planned.changes, *_changes(before, self.said)]


def _changes(before: Mapping[str, Any], said: Mapping[str, Any]) -> list[Change]:
    texts = (
        (column, text_of(column, before[column]) if before else "", text_of(column, value))
        for column, value in said.items()
    )
    # Upper and lower case tell no two categories or brands apart.
    return [
        Change(column=column, old=old, new=new)
        for column, old, new in texts
        if old != new and not (column in ("brand", "category") and old.lower() == new.lower())
    ]


class Plan:
    """Takes one row after the other; `rows` are those that it has taken."""

    def __init__(self, sheet: Iterable[Cells], *, is_to_write: bool, may_make: MayMake) -> None:
        """Read what the shop has of it, and lock that if it is to be written afterwards."""
        sheet = list(sheet)
        self._may_make = may_make
        self._paths = paths_of_categories()
        self._shelves = {_lower(path) for path in self._paths.values()}
        self._brands = {name.lower() for name in Brand.objects.values_list("name", flat=True)}
        skus = [cells["sku"].lower() for cells in sheet]
        variants = Variant.objects.alias(lower_sku=Lower("sku")).filter(lower_sku__in=skus)
        self._variants = {variant.sku.lower(): variant for variant in variants}
        self._products = self._read_products(sheet, is_to_write=is_to_write)
        self._taken = {product.slug for product in self._products.values()}
        self._slugs = {product.slug: product.pk for product in self._products.values()}
        self._planned: dict[str, PlannedProduct] = {}
        self._numbers: dict[str, int] = {}
        self.rows: list[PlannedRow] = []

    def _read_products(
        self, sheet: Sequence[Cells], *, is_to_write: bool
    ) -> dict[int, Product]:
        slugs = {cells.get("product") or _own_slug(cells) for cells in sheet}
        owners = {variant.product_id for variant in self._variants.values()}
        products = Product.objects.filter(slug__in=slugs) | Product.objects.filter(
            pk__in=owners
        )
        if is_to_write:
            products = products.select_for_update(of=("self",))
        found = products.select_related("brand").order_by("pk")
        return {product.pk: product for product in found}

    def take(self, cells: Cells, *, number: int) -> PlannedRow:
        """What the row would do; raises RowProblems."""
        problems: list[str] = []
        sku = self._sku(cells["sku"], number, problems)
        of_product = _values(values.OF_PRODUCT, cells, problems)
        of_variant = _values(values.OF_VARIANT, cells, problems)
        slug = _values({"product": values.slug}, cells, problems).get("product", "")
        if problems:
            raise RowProblems(problems)
        variant = self._variants.get(sku.lower())
        planned = self._product(variant, slug, cells, problems)
        self._check_missing(planned, variant, of_product, of_variant, problems)
        self._check_new_names(of_product, problems)
        for column, value in of_product.items():
            first, earlier = planned.said.setdefault(column, (number, value))
            if earlier != value:
                problems.append(f"{column}: row {first} says something else of this product.")
        if problems:
            raise RowProblems(problems)
        row = PlannedRow(
            variant=variant or Variant(sku=sku),
            planned=planned,
            said=of_variant,
            is_new=variant is None,
        )
        self.rows.append(row)
        return row

    def _sku(self, cell: str, number: int, problems: list[str]) -> str:
        sku = _values({"sku": values.sku}, {"sku": cell}, problems).get("sku", "")
        first = self._numbers.setdefault(sku.lower(), number)
        if sku and first != number:
            problems.append(f"sku: {sku} was in row {first} already.")
        return str(sku)

    def _product(
        self, variant: Variant | None, slug: str, cells: Cells, problems: list[str]
    ) -> PlannedProduct:
        if variant is not None:
            product = self._products[variant.product_id]
            if slug and slug != product.slug:
                problems.append(
                    f"product: {variant.sku} belongs to “{product.slug}” and cannot be moved."
                )
        elif slug in self._slugs:
            product = self._products[self._slugs[slug]]
        elif slug in self._planned:
            return self._planned[slug]
        else:
            own = slug or free_slug(
                cells.get("name", ""), cells["sku"], model=Product, taken=self._taken
            )
            return self._planned.setdefault(
                own, PlannedProduct(product=Product(slug=own), before={})
            )
        before = said_of_product(product, self._paths)
        return self._planned.setdefault(
            product.slug, PlannedProduct(product=product, before=before)
        )

    def _check_missing(
        self,
        planned: PlannedProduct,
        variant: Variant | None,
        of_product: Mapping[str, Any],
        of_variant: Mapping[str, Any],
        problems: list[str],
    ) -> None:
        needed = ["name", "category"] if planned.is_new else []
        problems += [
            f"{column}: a new product needs one."
            for column in needed
            if column not in of_product
        ]
        if variant is None and "price" not in of_variant:
            problems.append("price: a new variant needs one.")

    def _check_new_names(self, of_product: Mapping[str, Any], problems: list[str]) -> None:
        path = _lower(of_product.get("category", ()))
        if path and path not in self._shelves and not self._may_make(Category):
            problems.append("category: there is none of this name, and you may not add one.")
        brand = of_product.get("brand", "").lower()
        if brand and brand not in self._brands and not self._may_make(Brand):
            problems.append("brand: there is none of this name, and you may not add one.")

    def new_names(self) -> list[str]:
        """The categories and brands that the rows make: to be looked at for misspellings."""
        paths, brands = {}, {}
        for planned in self._planned.values():
            _, path = planned.said.get("category", (0, ()))
            _, brand = planned.said.get("brand", (0, ""))
            if path and _lower(path) not in self._shelves:
                paths[_lower(path)] = f"category {' > '.join(path)}"
            if brand and brand.lower() not in self._brands:
                brands[brand.lower()] = f"brand {brand}"
        return [*paths.values(), *brands.values()]


def _values(
    columns: Mapping[str, Callable[[str], Any]], cells: Cells, problems: list[str]
) -> dict[str, Any]:
    """By column, what the cells say; what cannot be taken goes into `problems`."""
    said = {}
    for column, value_of in columns.items():
        if column in cells:
            try:
                said[column] = value_of(cells[column])
            except values.Bad as bad:
                problems.append(f"{column}: {str(bad).removesuffix('.')}.")
    return said


def _own_slug(cells: Cells) -> str:
    return wanted_slug(cells.get("name", ""), cells["sku"], model=Product)


def _lower(path: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in path)
