"""The tree of categories as it is now: what is inside one, and what to call it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from apps.catalog.models import Category
from apps.catalog.search.wanted import FacetValue

_Path = tuple[str, ...]


class _Shelf(NamedTuple):
    id: int
    slug: str
    name: str
    parent_id: int | None


class Tree:
    """All categories, read at the first question by one statement."""

    def inside(self, category_id: int) -> tuple[int, ...]:
        """The category itself, and all inside it."""
        found = [category_id]
        for each in found:  # which grows meanwhile
            found += self._children[each]
        return tuple(found)

    def path(self, slug: str) -> _Path:
        """The names from the outermost category to this one; empty if it is no more."""
        names: list[str] = []
        above = self._ids.get(slug)
        while above is not None:
            names.insert(0, self._shelves[above].name)
            above = self._shelves[above].parent_id
        return tuple(names)

    @cached_property
    def _shelves(self) -> dict[int, _Shelf]:
        rows = Category.objects.values_list("pk", "slug", "name", "parent_id")
        return {shelf.id: shelf for shelf in map(_Shelf._make, rows)}

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        return {shelf.slug: shelf.id for shelf in self._shelves.values()}

    @cached_property
    def _children(self) -> Mapping[int, list[int]]:
        children: dict[int, list[int]] = defaultdict(list)
        for shelf in self._shelves.values():
            if shelf.parent_id is not None:
                children[shelf.parent_id].append(shelf.id)
        return children


def labelled_apart(categories: Sequence[FacetValue]) -> list[FacetValue]:
    """Those of one name are called “Men > Tops” and “Women > Tops”, all others as before."""
    names = Counter(category.label for category in categories)
    tree = Tree()
    paths = {each.value: tree.path(each.value) for each in categories if names[each.label] > 1}
    return [
        replace(each, label=_telling(each, paths)) if paths.get(each.value) else each
        for each in categories
    ]


def _telling(category: FacetValue, paths: Mapping[str, _Path]) -> str:
    own = paths[category.value]
    others = [path for slug, path in paths.items() if slug != category.value]
    return " > ".join(_end_of_its_own(own, others))


def _end_of_its_own(path: _Path, others: Collection[_Path]) -> _Path:
    """The shortest end of the path that none of the others has."""
    ends = (path[-length:] for length in range(1, len(path) + 1))
    own = (end for end in ends if not any(other[-len(end) :] == end for other in others))
    return next(own, path)
