"""Questions in SQL, asked where the request may read: the standby, or else the primary."""

from collections.abc import Mapping
from typing import Any

from django.db import connections, router

from apps.catalog.search.models import SearchText

ENGINE = "postgres"
Params = Mapping[str, Any]


def rows(sql: str, params: Params) -> list[Any]:
    with connections[router.db_for_read(SearchText)].cursor() as cursor:
        cursor.execute(sql, params)
        found: list[Any] = cursor.fetchall()
        return found
