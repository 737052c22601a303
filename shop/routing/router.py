"""Django's way to ask where a row is read and written."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from shop.routing.scope import current


class ReplicaRouter:
    """Writes go to the primary, and reads too unless their scope allows a standby."""

    def db_for_read(
        self, model: type[Model], *, instance: Model | None = None, **_: Any
    ) -> str:
        scope = current()
        return DEFAULT_DB_ALIAS if scope is None else scope.database_for(model, instance)

    def db_for_write(self, _model: type[Model], **_: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **_: Any) -> bool | None:
        """They hold the same rows."""
        same = {DEFAULT_DB_ALIAS, None, *settings.REPLICAS}
        return True if {one._state.db, other._state.db} <= same else None

    def allow_migrate(self, db: str, _app_label: str, **_: Any) -> bool | None:
        return False if db in settings.REPLICAS else None
