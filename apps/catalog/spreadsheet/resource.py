"""The sheet of products as django-import-export knows it: it calls, the plan answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from import_export import resources
from import_export.exceptions import FieldError
from import_export.fields import Field
from import_export.results import RowResult

from apps.catalog.models import Variant
from apps.catalog.plain_text import cut
from apps.catalog.spreadsheet.cells import cell_text
from apps.catalog.spreadsheet.exporting import paths_of_categories, row_of
from apps.catalog.spreadsheet.formats import ROW, BadSheet
from apps.catalog.spreadsheet.planning import Change, MayMake, Plan, RowProblems
from apps.catalog.spreadsheet.values import IMPORTED, ONLY_EXPORTED
from apps.catalog.spreadsheet.writing import Written, write

_SHOWN_TEXT = 120  # characters
_CHUNK = 500  # rows of an export that are in memory as objects


class SheetRow(RowResult):  # type: ignore[misc]  # no types
    """What a row would do, for the preview."""

    number = 0
    sku = ""
    changes: Sequence[Change] = ()

    @property
    def shown_changes(self) -> list[Change]:
        """The changes, of long texts the beginning."""
        return [
            Change(
                column=change.column,
                old=cut(change.old, length=_SHOWN_TEXT),
                new=cut(change.new, length=_SHOWN_TEXT),
            )
            for change in self.changes
        ]


class ProductSheet(resources.ModelResource):  # type: ignore[misc]  # no types
    """One row a variant; either all rows of a file are written or, with one problem, none."""

    class Meta:
        model = Variant
        name = "Products, one row a variant"
        fields = ()
        import_id_fields = ("sku",)
        use_bulk = True  # no savepoint a row: rows write nothing by themselves

    def __init__(self, *, may_make: MayMake, is_to_write: bool = False) -> None:
        super().__init__()
        self.fields = {name: Field(column_name=name) for name in (*IMPORTED, *ONLY_EXPORTED)}
        self._may_make = may_make
        self._is_to_write = is_to_write
        self.plan: Plan | None = None
        self.written: Written | None = None

    def get_import_order(self) -> Sequence[str]:
        return IMPORTED

    def get_export_order(self) -> Sequence[str]:
        return (*IMPORTED, *ONLY_EXPORTED)

    def get_row_result_class(self) -> type[SheetRow]:
        return SheetRow

    def get_user_visible_fields(self) -> list[Field]:
        return self.get_export_fields()  # type: ignore[no-any-return]  # no types

    def before_import(self, dataset: tablib.Dataset, **_kwargs: Any) -> None:
        known = {ROW, *IMPORTED, *ONLY_EXPORTED}
        unknown = [name for name in dataset.headers if name not in known]
        if unknown:
            raise BadSheet(
                f"Unknown column: {', '.join(unknown)}. There are {', '.join(IMPORTED)}."
            )
        if "sku" not in dataset.headers:
            raise BadSheet("There is no column sku, by which a variant is found.")
        sheet = [_cells(row) for row in dataset.dict]
        self.plan = Plan(sheet, is_to_write=self._is_to_write, may_make=self._may_make)

    def import_row(self, row: Mapping[str, Any], _loader: Any, **_kwargs: Any) -> SheetRow:
        result = SheetRow()
        result.number = row[ROW]
        if self.plan is None:  # the file as a whole was refused
            return result
        try:
            planned = self.plan.take(_cells(row), number=result.number)
        except RowProblems as error:
            result.import_type = RowResult.IMPORT_TYPE_INVALID
            result.validation_error = ValidationError(
                [f"Row {result.number}: {problem}" for problem in error.problems]
            )
            return result
        result.sku, result.changes = planned.variant.sku, planned.changes
        result.import_type = (
            RowResult.IMPORT_TYPE_NEW
            if planned.is_new
            else RowResult.IMPORT_TYPE_UPDATE
            if result.changes
            else RowResult.IMPORT_TYPE_SKIP
        )
        return result

    def after_import(self, _dataset: tablib.Dataset, result: Any, **_kwargs: Any) -> None:
        if self.plan is None or result.base_errors or result.invalid_rows:
            return
        result.new_names = self.plan.new_names()
        if not self._is_to_write:
            return
        try:
            self.written = write(self.plan.rows)
        except IntegrityError as error:
            raise BadSheet(
                "Somebody else added the same just now. Upload the file again."
            ) from error

    def handle_import_error(self, result: Any, error: Exception, raise_errors: bool) -> None:
        if not isinstance(error, BadSheet | FieldError):
            raise error
        super().handle_import_error(result, error, raise_errors)

    def export(self, queryset: QuerySet[Variant], **_kwargs: Any) -> tablib.Dataset:
        paths = paths_of_categories()
        columns = self.get_export_order()
        dataset = tablib.Dataset(headers=list(columns))
        for variant in queryset.iterator(chunk_size=_CHUNK):
            row = row_of(variant, paths)
            dataset.append([row[column] for column in columns])
        return dataset


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: cell_text(value)
        for name, value in row.items()
        if name in IMPORTED and (name != "product" or value not in ("", None))
    }
