"""Pages of a list that stay right while the list changes: each starts after a known entry.

The framework's own cursor counts entries of equal value and gives up at a thousand, so that a
shop with many products at one price never shows the rest. Here the id breaks every tie.
"""

import base64
import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import Field, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from shop.parsers import is_storable


class Cursor(NamedTuple):
    """The entry beside a page: its value in the list's order, and its id."""

    value: str
    pk: int
    backwards: bool


class KeysetPagination(CursorPagination):
    """Pages of a queryset that is ordered by one field, which is never null, and its id."""

    page_size = 24
    page_size_query_param = "page_size"
    page_size_query_description = "Entries on a page; more than 100 are cut to 100."
    max_page_size = 100
    cursor_query_description = "Taken from `next` or `previous`; of no meaning otherwise."

    _address: str
    _order_field: str
    _page: list[Any]

    def paginate_queryset(
        self,
        queryset: QuerySet[Any],
        request: Request,
        view: APIView | None = None,  # noqa: ARG002 the framework passes it
    ) -> list[Any]:
        size = self.get_page_size(request)
        order = str(queryset.query.order_by[0])
        self._address = request.build_absolute_uri()
        self._order_field = order.removeprefix("-")
        cursor = self._cursor(request)
        backwards = cursor is not None and cursor.backwards
        descending = order.startswith("-") != backwards
        if cursor is not None:
            queryset = queryset.filter(self._beyond(queryset, cursor, descending=descending))
        sign = "-" if descending else ""
        found = list(queryset.order_by(sign + self._order_field, sign + "pk")[: size + 1])
        self._page = found[:size][::-1] if backwards else found[:size]
        is_more = len(found) > size
        self.has_next = backwards or is_more
        self.has_previous = is_more if backwards else cursor is not None
        return self._page

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        try:
            size = int(asked)
        except ValueError:
            size = 0
        if size < 1:
            raise ValidationError({self.page_size_query_param: ["Not a positive number."]})
        return min(size, self.max_page_size)

    def get_next_link(self) -> str | None:
        if not self.has_next or not self._page:
            return None
        return self._link(self._page[-1], backwards=False)

    def get_previous_link(self) -> str | None:
        if not self.has_previous or not self._page:
            return None
        return self._link(self._page[0], backwards=True)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            page["properties"][name]["example"] = "https://shop.example/...?cursor=WyJNdWc..."
        page["required"] = ["next", "previous", "results"]
        return page

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        parameters[-1]["schema"] |= {"minimum": 1, "default": self.page_size}
        return parameters

    def _link(self, entry: Any, *, backwards: bool) -> str:
        cursor = Cursor(str(getattr(entry, self._order_field)), entry.pk, backwards)
        text = base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
        return replace_query_param(self._address, self.cursor_query_param, text)

    def _cursor(self, request: Request) -> Cursor | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            value, pk, backwards = json.loads(base64.urlsafe_b64decode(text))
        except (ValueError, TypeError, RecursionError):
            raise self._not_a_cursor() from None
        if type(value) is not str or type(pk) is not int or not is_storable(value):
            raise self._not_a_cursor()
        return Cursor(value, pk, bool(backwards))

    def _beyond(self, queryset: QuerySet[Any], cursor: Cursor, *, descending: bool) -> Q:
        """What comes after the cursor's entry, in the direction of reading."""
        name, way = self._order_field, "lt" if descending else "gt"
        try:
            value = _field(queryset, name).clean(cursor.value, None)
        except InvalidValue:
            raise self._not_a_cursor() from None
        # The shop writes times in UTC; others may lie outside of what can be counted in it.
        if isinstance(value, datetime) and value.utcoffset() != timedelta(0):
            raise self._not_a_cursor()
        beyond = Q(**{f"{name}__{way}": value}) | Q(**{name: value, f"pk__{way}": cursor.pk})
        # Says nothing new, but is what an index on the field can start from.
        return Q(**{f"{name}__{way}e": value}) & beyond

    def _not_a_cursor(self) -> ValidationError:
        return ValidationError({self.cursor_query_param: ["Not a cursor of this list."]})


def _field(queryset: QuerySet[Any], name: str) -> Any:
    """The field that knows the type of the values that the list is ordered by."""
    annotation = queryset.query.annotations.get(name)
    if annotation is not None:
        return annotation.output_field
    field: Field[Any, Any] = queryset.model._meta.get_field(name)
    return field
