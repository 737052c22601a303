"""Categories and brands that offered products name: found again, or made."""

from collections.abc import Iterable

from apps.catalog.importing.addresses import free_slug
from apps.catalog.models import Brand, Category

Path = tuple[str, ...]


def categories_of(paths: Iterable[Path]) -> dict[Path, Category]:
    """The category at the end of each path, made with those around it where missing.

    Upper and lower case do not tell two names apart.
    """
    there = list(Category.objects.order_by("-pk"))
    known = {(each.parent_id, each.name.lower()): each for each in there}  # the oldest of two
    taken = {category.slug for category in there}
    found: dict[Path, Category] = {}
    for path in paths:
        parent: Category | None = None
        for depth, name in enumerate(path, start=1):
            key = (parent.pk if parent else None, name.lower())
            if key not in known:
                slug = free_slug(" ".join(path[:depth]), model=Category, taken=taken)
                known[key] = Category.objects.create(parent=parent, name=name, slug=slug)
            parent = known[key]
        if parent is not None:
            found[path] = parent
    return found


def brands_of(names: Iterable[str]) -> dict[str, Brand]:
    """The brand of each name, made where missing; case does not tell two apart."""
    there = list(Brand.objects.order_by("-pk"))
    known = {brand.name.lower(): brand for brand in there}
    taken = {brand.slug for brand in there}
    found: dict[str, Brand] = {}
    for name in names:
        if name.lower() not in known:
            slug = free_slug(name, model=Brand, taken=taken)
            known[name.lower()] = Brand.objects.create(name=name, slug=slug)
        found[name] = known[name.lower()]
    return found
