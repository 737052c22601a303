"""The files that a spreadsheet is kept in: CSV and XLSX, with bounds on what is read."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import openpyxl
import tablib
from import_export.formats import base_formats
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from apps.catalog.spreadsheet.cells import escaped

MOST_BYTES = 5 * 1024 * 1024
# They are written in one transaction, and an order that makes one of their products scarce
# waits for its end.
MOST_ROWS = 1_000
ROW = "row"  # the column that we add: the row's number as a spreadsheet shows it

_MOST_UNPACKED_BYTES = 100 * 1024 * 1024
_MOST_COLUMNS = 100
_MOST_ROWS_WITH_EMPTY = 20_000  # a sheet may be formatted far below its last row
_LONGEST_XLSX_CELL = 32_767

NumberedRow = tuple[int, list[Any]]


class BadSheet(Exception):
    """Why a file cannot be taken, in a sentence."""


class CSVFile(base_formats.CSV):  # type: ignore[misc]  # no types
    def create_dataset(self, in_stream: Any, **_kwargs: Any) -> tablib.Dataset:
        """The rows, with commas or semicolons between cells; raises BadSheet."""
        return _dataset(_csv_rows(_present(in_stream)))

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> str:
        # The mark tells Excel that it is UTF-8.
        return "\ufeff" + str(super().export_data(_escaped(dataset), **kwargs))


class XLSXFile(base_formats.XLSX):  # type: ignore[misc]  # no types
    def create_dataset(self, in_stream: Any) -> tablib.Dataset:
        """The rows of the first sheet; raises BadSheet."""
        return _dataset(_xlsx_rows(_present(in_stream)))

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        safe = _escaped(dataset)
        if any(len(cell) > _LONGEST_XLSX_CELL for row in safe for cell in row):
            raise ValueError("A text is longer than a cell of XLSX can be: export it as CSV.")
        data: bytes = super().export_data(safe, **kwargs)
        return data


FORMATS = [CSVFile, XLSXFile]


def format_of(start: bytes) -> int:
    """Which of FORMATS a file is that starts like this: XLSX is a ZIP archive."""
    return FORMATS.index(XLSXFile if start.startswith(b"PK\x03\x04") else CSVFile)


def _present(data: Any) -> bytes:
    if data is None:
        raise BadSheet("The upload is not kept any longer. Upload the file again.")
    return data.encode() if isinstance(data, str) else bytes(data)


def _escaped(dataset: tablib.Dataset) -> tablib.Dataset:
    safe = tablib.Dataset(headers=dataset.headers)
    for row in dataset:
        texts = (ILLEGAL_CHARACTERS_RE.sub("", "" if one is None else str(one)) for one in row)
        safe.append([escaped(text) for text in texts])
    return safe


def _dataset(rows: Iterator[NumberedRow]) -> tablib.Dataset:
    _, first = next(rows, (0, []))
    headers = [str(cell or "").strip().lower() for cell in first]
    while headers and not headers[-1]:
        headers.pop()
    if not headers or not all(headers):
        raise BadSheet("The first row has to name the columns, without a gap.")
    if len(set(headers)) < len(headers):
        raise BadSheet("A column is there twice.")
    dataset = tablib.Dataset(headers=[ROW, *headers])
    for number, row in _filled(rows):
        if len(dataset) == MOST_ROWS:
            raise BadSheet(f"There are more than {MOST_ROWS} rows. Divide the file.")
        if any(row[len(headers) :]):
            raise BadSheet(f"Row {number} has more cells than the first row has names.")
        dataset.append([number, *row, *[""] * (len(headers) - len(row))][: len(headers) + 1])
    return dataset


def _filled(rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    return (
        (number, row) for number, row in rows if any(cell not in ("", None) for cell in row)
    )


def _csv_rows(data: bytes) -> Iterator[NumberedRow]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadSheet("The file is not in UTF-8. Save it as “CSV UTF-8”, or XLSX.") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield number, list(row[: _MOST_COLUMNS + 1])
    except csv.Error as error:
        raise BadSheet(f"Below row {number} this is no CSV: {error}.") from error


def _xlsx_rows(data: bytes) -> Iterator[NumberedRow]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _MOST_UNPACKED_BYTES:
            raise BadSheet("The file is too large when it is unpacked.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            if number > _MOST_ROWS_WITH_EMPTY:
                raise BadSheet(f"There are more than {MOST_ROWS} rows. Divide the file.")
            yield number, list(row[: _MOST_COLUMNS + 1])
    except BadSheet:
        raise
    except Exception as error:  # noqa: BLE001 whatever a damaged file makes the library raise
        raise BadSheet("The file cannot be read as XLSX.") from error
