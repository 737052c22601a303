"""Attributes of a product, as `Product.attributes` keeps them: names with lists of texts."""

from collections.abc import Mapping

Attributes = Mapping[str, list[str]]

# Beyond these it is a mistake, or a description.
MOST_NAMES = 300
MOST_VALUES = 300  # of one name
LONGEST_NAME = 100
LONGEST_VALUE = 200
