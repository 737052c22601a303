"""The index of a test: made, filled from the database, dropped."""

from typing import Any

from apps.catalog.models import Product
from apps.catalog.search import engine
from apps.catalog.search.engine.client import client
from apps.catalog.search.engine.document import ALIAS, ProductDocument, entries
from apps.catalog.search.rules import Rules
from apps.catalog.search.vocabulary import refresh_vocabulary
from apps.catalog.search.wanted import Found, Wanted

_NAME = f"{ALIAS}-test"


class Index:
    def make(self) -> None:
        self.drop()
        body: dict[str, Any] = ProductDocument._index.to_dict()
        client().indices.create(
            index=_NAME,
            settings=body["settings"],
            mappings=body["mappings"],
            aliases={ALIAS: {}},
        )

    def fill(self) -> None:
        """Bring every product in, as it is now."""
        ids = list(Product.objects.order_by("pk").values_list("pk", flat=True))
        lines: list[dict[str, Any]] = []
        for entry in entries(ids, gone={}):
            action = {"_index": _NAME, "_id": str(entry.product_id), "version": entry.version}
            lines += [{"index": {**action, "version_type": "external_gte"}}, entry.source]
        if lines:
            answer = client().bulk(operations=lines, refresh=True)
            assert not answer["errors"], answer
        refresh_vocabulary()

    def found(self, q: str = "", *, rules: Rules | None = None, **wanted: Any) -> Found:
        """What a search finds after all products were brought in."""
        self.fill()
        return engine.search(Wanted(q=q, **wanted), rules=rules or Rules())

    def names(self, q: str = "", **wanted: Any) -> list[str]:
        """The names of what was found, in order."""
        ids = [hit.product_id for hit in self.found(q, **wanted).hits]
        products = Product.objects.in_bulk(ids)
        return [products[pk].name for pk in ids]

    def drop(self) -> None:
        # Also what a test that was killed has left behind.
        for name in client().indices.get_alias(index=f"{ALIAS}-*"):
            client().indices.delete(index=name)
