"""A product as the engine keeps it, and how its rows become that document."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from django.db.models import F, Prefetch
from django_elasticsearch_dsl import Document, fields
from django_elasticsearch_dsl.registries import registry
from elasticsearch.dsl import MetaField

from apps.catalog.models import Category, Product, Variant
from apps.catalog.search.engine import mapping
from apps.catalog.search.facets import LONGEST
from apps.catalog.search.words import also_written, run_together, words_typed

ALIAS = "products"
MINOR_UNITS = 100  # of the currency in one: both engines have whole numbers in common
_LOW = 5  # units of the variant of which there are most; the triggers know it, too


class Entry(NamedTuple):
    """What an index has to say of a product: its document, or that it is gone."""

    product_id: int
    version: int
    source: dict[str, Any]


def _text(**subfields: Any) -> Any:
    return fields.TextField(analyzer=mapping.text, fields=subfields)


def _marked(**subfields: Any) -> Any:
    """With the places of its words, which the engine would look for anew in what it marks."""
    return fields.TextField(analyzer=mapping.text, fields=subfields, index_options="offsets")


def _pairs() -> Any:
    return fields.TextField(analyzer=mapping.pairs, search_analyzer=mapping.text)


@registry.register_document
class ProductDocument(Document):  # type: ignore[misc]  # the library carries no types
    """The mapping. What a product that is not on sale leaves behind is only `deleted`."""

    id = fields.LongField()
    slug = fields.KeywordField()
    skus = fields.KeywordField()  # letters and digits run together
    name = _marked(
        pairs=_pairs(),
        sort=fields.KeywordField(normalizer=mapping.one_word),
    )
    variants = _text()
    brand = _text()
    brand_slug = fields.KeywordField()
    category_path = _text()
    category_id = fields.LongField()
    category_slugs = fields.KeywordField()  # its own, and those that it is inside of
    for_what = fields.TextField(analyzer="keyword", search_analyzer=mapping.stems)
    what_it_is = _text(pairs=_pairs())  # its short attributes
    description = _marked()
    others = _text(pairs=_pairs())  # its long attributes
    # “Colour:Red”, to select by and to count, and “Colour:”, to count who has any. Nested, each
    # would be a document of its own, twenty for one product.
    selections = fields.KeywordField()
    brand_id = fields.LongField()
    prices = fields.LongField()
    in_stock = fields.BooleanField()
    stock_bucket = fields.KeywordField()
    popularity = fields.FloatField()
    created_at = fields.DateField()
    # All that it may be asked for by before somebody has typed it to the end.
    beginnings = fields.TextField(
        analyzer=mapping.beginnings,
        search_analyzer=mapping.as_written,
        fields={"whole": fields.TextField(analyzer=mapping.as_written)},
    )
    row_version = fields.LongField()
    deleted = fields.BooleanField()

    class Index:
        name = ALIAS
        settings: ClassVar[dict[str, Any]] = {"number_of_shards": 1, "number_of_replicas": 0}

    class Django:
        model = Product

    class Meta:
        dynamic = MetaField("strict")

    # Without a property elasticsearch 9.4 and later take the list for a field, and index
    # documents that are empty (django-elasticsearch-dsl, issue 505).
    @property
    def _prepared_fields(self) -> Any:
        return self.__dict__.get("_prepared", [])

    @_prepared_fields.setter
    def _prepared_fields(self, value: Any) -> None:
        self.__dict__["_prepared"] = value

    def prepare_slug(self, product: Any) -> str:
        return str(product.slug)

    def prepare_skus(self, product: Any) -> list[str]:
        together = set(map(run_together, product.skus))
        return sorted(filter(None, together))  # “---” has neither letter nor digit

    def prepare_variants(self, product: Any) -> list[str]:
        names = {variant.name for variant in product.offers}
        also = {way for name in (product.name, *names) for way in also_written(name)}
        return sorted(names | {*_numbers(product)} | also)

    def prepare_brand(self, product: Any) -> str:
        return product.brand.name if product.brand else ""

    def prepare_brand_slug(self, product: Any) -> str | None:
        return product.brand.slug if product.brand else None

    def prepare_category_path(self, product: Any) -> str:
        return " ".join(category.name for category in product.path)

    def prepare_category_slugs(self, product: Any) -> list[str]:
        return [category.slug for category in product.path]

    def prepare_for_what(self, product: Any) -> list[str]:
        return list(product.for_what or ())

    def prepare_what_it_is(self, product: Any) -> list[str]:
        return _with_other_ways([value for value, is_one in _texts(product) if is_one])

    def prepare_others(self, product: Any) -> list[str]:
        values = [value for value, is_one in _texts(product) if not is_one]
        return [*_with_other_ways(values), *dict.fromkeys(also_written(product.description))]

    def prepare_selections(self, product: Any) -> list[str]:
        return list(product.facets or ())

    def prepare_prices(self, product: Any) -> list[int]:
        return sorted({minor_units(variant.price) for variant in product.offers})

    def prepare_in_stock(self, product: Any) -> bool:
        return any(variant.available > 0 for variant in product.offers)

    def prepare_stock_bucket(self, product: Any) -> str:
        units = max(variant.available for variant in product.offers)
        return "none" if units <= 0 else "low" if units <= _LOW else "in"

    def prepare_beginnings(self, product: Any) -> str:
        parts = (
            product.name,
            *self.prepare_variants(product),
            self.prepare_brand(product),
            self.prepare_category_path(product),
        )
        return " ".join(filter(None, parts))

    def prepare_row_version(self, product: Any) -> int:
        return int(product.search_version)

    def prepare_deleted(self, _: Any) -> bool:
        return False


def minor_units(price: Decimal) -> int:
    """A price as documents have it."""
    return int(price * MINOR_UNITS)


def entries(product_ids: Sequence[int], *, gone: Mapping[int, int]) -> list[Entry]:
    """What an index has to say of these products now; three statements whatever the number.

    `gone` has the last versions of those that may be no more; one that is neither there nor
    in it is left out.
    """
    document = ProductDocument()
    found = {product.pk: product for product in _products(product_ids)}
    entries = []
    for product_id in product_ids:
        product = found.get(product_id)
        if product is not None and product.is_published and product.offers:
            source = document.prepare(product)
            entries.append(Entry(product_id, product.search_version, source))
        elif product is not None:
            entries.append(tombstone(product_id, version=product.search_version))
        elif product_id in gone:
            entries.append(tombstone(product_id, version=gone[product_id]))
    return entries


def tombstone(product_id: int, *, version: int) -> Entry:
    """A document and no deletion: an engine forgets the version of what it has deleted."""
    source = {"id": product_id, "row_version": version, "deleted": True}
    return Entry(product_id, version, source)


def _products(product_ids: Sequence[int]) -> Iterator[Any]:
    """With `offers`, the variants that can be bought, the words of their `skus`, `path`, their
    categories, and `for_what` and `facets`, as SearchText has them."""
    offers = Variant.objects.filter(is_active=True).with_available().order_by("pk")
    products = Product.objects.filter(pk__in=product_ids).select_related("brand")
    products = products.annotate(
        for_what=F("searchtext__for_what"), facets=F("searchtext__facets")
    )
    products = products.prefetch_related(Prefetch("variants", offers, to_attr="offers"))
    # Products first: what is newer than their versions is marked, and comes again.
    found: list[Any] = list(products)
    categories = {category.pk: category for category in Category.objects.all()}
    for product in found:
        path: list[Category] = []
        above: int | None = product.category_id
        while above in categories:  # else it was deleted meanwhile, and the product marked
            path.insert(0, categories[above])
            above = path[0].parent_id
        product.path = path
        product.skus = [words_typed(variant.sku) for variant in product.offers]
        yield product


def _with_other_ways(texts: Sequence[str]) -> list[str]:
    also = (way for text in texts for way in also_written(text))
    return [*texts, *dict.fromkeys(also)]


def _numbers(product: Any) -> Iterator[str]:
    """The SKUs, run together, and their parts with digits: an ICE-1399 is no ice."""
    for words in product.skus:
        yield run_together(words)
        for word in words:
            yield from (part for part in word.split("-") if not part.isalpha())


def _texts(product: Any) -> Iterator[tuple[str, bool]]:
    """The values that say something, and whether each is one short thing, and no list."""
    for values in _attributes(product):
        for value in values:
            if any(map(str.isalpha, value)):
                is_short = len(value) <= LONGEST and not set(value) & set(",;")
                yield value, is_short and len(values) == 1


def _attributes(product: Any) -> Iterator[list[str]]:
    """The values of those that are as they should be: somebody may write others past the shop's
    forms."""
    for values in product.attributes.values():
        if isinstance(values, list):
            yield [value for value in values if isinstance(value, str)]
