"""Celery: what is done outside of a request. The only package that knows of it."""

# Whoever imports a task has the shop's app, and not Celery's idea of a default one.
from shop.celery import app

__all__ = ["app"]
