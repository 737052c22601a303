"""A row that was read from a standby may be shown, and never saved or deleted.

The one use of Django's signals: saving writes all fields, and those that somebody changed
meanwhile would be set back. No test of the caller's could show that on a standby that keeps up.
"""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.db.models.signals import pre_delete, pre_save  # noqa: TID251 see above


class StaleInstanceWrite(RuntimeError):
    """A bug of the caller: read the row on the primary, or update() it by its key."""


def install() -> None:
    """Guard the models that may be read from a standby; the others keep their fast deletes."""
    for model in apps.get_models():
        if getattr(model, "REPLICA_OK", False):
            pre_save.connect(_refuse, sender=model, dispatch_uid=f"guard {model._meta.label}")
            pre_delete.connect(_refuse, sender=model, dispatch_uid=f"guard {model._meta.label}")


def _refuse(sender: type[Model], instance: Model, using: str, **_: Any) -> None:
    if using in settings.REPLICAS:
        raise StaleInstanceWrite(f"{sender.__name__} is to be written through {using}.")
    if instance._state.db in settings.REPLICAS and not instance._state.adding:
        raise StaleInstanceWrite(
            f"{sender.__name__} {instance.pk} was read from {instance._state.db}:"
            " read it on the primary before it is written."
        )
