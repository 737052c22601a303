"""The judged queries, asked one after the other, with the time that each took."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apps.catalog.models import Variant
from apps.catalog.search.rules import Rules
from apps.catalog.search.wanted import Found, Wanted

Search = Callable[..., Found]
_DEEP = 50  # results: enough for ten that were judged


@dataclass(frozen=True, kw_only=True)
class Asked:
    query: str
    order: Sequence[str]  # the judged names of the products, the best first
    found: Found
    milliseconds: float


class Asking:
    """Asks an engine; products are named as the judgements name them."""

    def __init__(self, search: Search, names: Mapping[str, str]) -> None:
        self._search = search
        skus = Variant.objects.values_list("product_id", "sku")
        self._names = {pk: names[sku] for pk, sku in skus if sku in names}

    def ask(self, query: str, *, page_size: int = _DEEP) -> Asked:
        wanted = Wanted(q=query, page_size=page_size)
        start = time.perf_counter()
        found = self._search(wanted, rules=Rules())  # none: the ranking alone is judged
        took = (time.perf_counter() - start) * 1000
        order = [self._names.get(hit.product_id, "") for hit in found.hits]
        return Asked(query=query, order=order, found=found, milliseconds=took)
