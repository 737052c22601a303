"""The catalogue: shelves, products and their variants, and the stock of each."""

from apps.catalog.admin import products, stock

__all__ = ["products", "stock"]
