"""Orders, as the people see them who pack, ship and answer the telephone."""

from apps.orders.admin import orders

__all__ = ["orders"]
