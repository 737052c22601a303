"""Addresses (slugs) of what an import makes: the same ones whenever it is made again."""

import hashlib
from typing import Any

from django.db.models import Model
from django.utils.text import slugify

_LONGEST = 100  # of all but the last part; nobody reads more of an address


def free_slug(*parts: str, model: type[Model], taken: set[str]) -> str:
    """An address from the parts, with a digest if it is `taken`, which it is from now on.

    Of a part that makes it too long the beginning is left; the last part stays whole.
    """
    slug = wanted_slug(*parts, model=model)
    if slug in taken:
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
        slug = f"{slug[: _length(model) - 11]}-{digest}"
    taken.add(slug)
    return slug


def wanted_slug(*parts: str, model: type[Model]) -> str:
    """The address that `free_slug` gives if nobody has it."""
    *names, last = (slugify(part) for part in parts)
    kind = model._meta.model_name
    end = last if any(letter.isalpha() for letter in last) else f"{kind}-{last}"
    beginning = "-".join(names)[: min(_LONGEST, max(0, _length(model) - len(end) - 1))]
    return f"{beginning}-{end}".strip("-")[: _length(model)]


def _length(model: type[Model]) -> int:
    slug: Any = model._meta.get_field("slug")
    return int(slug.max_length)
