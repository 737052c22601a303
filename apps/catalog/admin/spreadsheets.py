"""Import and export of products on the list of products."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm
from import_export.tmp_storages import CacheStorage
from redis.exceptions import RedisError
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from apps.catalog.models import Product, Variant
from apps.catalog.spreadsheet.formats import FORMATS, MOST_BYTES, MOST_ROWS, BadSheet, format_of
from apps.catalog.spreadsheet.resource import ProductSheet
from apps.catalog.spreadsheet.values import IMPORTED
from apps.catalog.spreadsheet.writing import Written

_SHOWN_ROWS = 200
_SHOWN_PROBLEMS = 50


class UploadForm(ImportForm):  # type: ignore[misc]  # no types
    """A file; which format it is in, its first bytes say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].widget.attrs["accept"] = ".csv,.xlsx"
        self.fields["import_file"].label = "File"
        self.fields[
            "import_file"
        ].help_text = (
            f"CSV (UTF-8) or XLSX, at most {MOST_BYTES // 2**20} MB and {MOST_ROWS} rows."
        )

    @property
    def media(self) -> forms.Media:
        return forms.Media()  # nothing to guess

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"More than {MOST_BYTES // 2**20} MB. Divide the file.")
        return file

    def clean(self) -> Any:
        file = self.cleaned_data.get("import_file")
        if file is not None:
            self.cleaned_data["format"] = str(format_of(file.read(4)))
            file.seek(0)
        return self.cleaned_data


class ConfirmForm(ConfirmImportForm):  # type: ignore[misc]  # no types
    format = forms.ChoiceField(
        choices=[(str(n), "") for n in range(len(FORMATS))], widget=forms.HiddenInput
    )


class UploadStorage(CacheStorage):  # type: ignore[misc]  # no types
    """Between preview and confirmation: any web process finds it, for an hour."""

    CACHE_LIFETIME = 3600


class SpreadsheetMixin(ImportExportMixin):  # type: ignore[misc]  # no types
    resource_classes = (ProductSheet,)
    formats = FORMATS
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    tmp_storage_class = UploadStorage
    import_template_name = "catalog/admin/import_products.html"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return all(
            _may(request, action, model)
            for action in ("add", "change")
            for model in (Product, Variant)
        )

    def has_export_permission(self, request: HttpRequest) -> bool:
        return _may(request, "view", Product) and _may(request, "view", Variant)

    def get_import_resource_kwargs(self, request: HttpRequest, **_kwargs: Any) -> Any:
        return {"may_make": lambda model: _may(request, "add", model)}

    get_export_resource_kwargs = get_import_resource_kwargs

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        """The variants of the products that the list shows, its filters and search applied."""
        products = super().get_export_queryset(request).order_by().values("pk")
        variants = Variant.objects.filter(product__in=products)
        return variants.select_related("product__brand", "stock").order_by("product", "pk")

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            page: HttpResponse = super().export_action(request)
        except (IncorrectLookupParameters, ValueError, OverflowError):
            # The list leaves out what no filter or search can mean; an export must not.
            messages.error(request, "There is no such filter or search to export.")
            return redirect("admin:catalog_product_changelist")
        return page

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            page: TemplateResponse = super().import_action(request, **kwargs)
        except RedisError:
            return self._again(request, "The upload cannot be kept: the cache is away.")
        page.context_data = {**(page.context_data or {}), **_preview(page.context_data or {})}
        return page

    def add_data_read_fail_error_to_form(self, form: forms.Form, error: Exception) -> None:
        if not isinstance(error, BadSheet):
            raise error
        form.add_error("import_file", str(error))

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """What was previewed, now for good; if that is not possible any more, a message."""
        try:
            page: HttpResponse = super().process_import(request, **kwargs)
        except BadSheet as error:
            return self._again(request, str(error))
        except RedisError:
            return self._again(request, "The upload cannot be read: the cache is away.")
        if isinstance(page, TemplateResponse):  # a form that was tampered with
            return self._again(request, "Upload the file again.")
        return page

    def process_dataset(
        self, dataset: Any, form: forms.Form, request: HttpRequest, **_kwargs: Any
    ) -> Any:
        resource = ProductSheet(**self.get_import_resource_kwargs(request), is_to_write=True)
        result = resource.import_data(dataset, dry_run=False)
        result.written = resource.written
        result.file_name = form.cleaned_data["original_file_name"]
        return result

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        written: Written | None = result.written
        if written is None:
            return self._again(
                request, f"Nothing was imported. The shop has changed: {_problems(result)[0]}"
            )
        _log(request, written, file_name=result.file_name)
        messages.success(
            request,
            f"Imported. Products made: {len(written.products_made)}, changed:"
            f" {len(written.products_changed)}. Variants made: {len(written.variants_made)},"
            f" changed: {len(written.variants_changed)}.",
        )
        return redirect("admin:catalog_product_changelist")

    def _again(self, request: HttpRequest, message: str) -> HttpResponse:
        messages.error(request, message)
        return redirect("admin:catalog_product_import")


def _may(request: HttpRequest, action: str, model: type[Model]) -> bool:
    codename = get_permission_codename(action, model._meta)
    return bool(request.user.has_perm(f"{model._meta.app_label}.{codename}"))


def _preview(context: dict[str, Any]) -> dict[str, Any]:
    """What the page says about the upload: its problems, or what it would do."""
    shown: dict[str, Any] = {"columns": IMPORTED}
    result = context.get("result")
    if result is None:
        return shown
    problems = _problems(result)
    rows = [row for row in result.rows if row.is_new() or row.is_update()]
    return {
        **shown,
        "problems": problems[:_SHOWN_PROBLEMS],
        "more_problems": len(problems) - _SHOWN_PROBLEMS,
        "totals": result.totals,
        "new_names": "; ".join(getattr(result, "new_names", [])),
        "rows": rows[:_SHOWN_ROWS],
        "more_rows": len(rows) - _SHOWN_ROWS,
    }


def _problems(result: Any) -> list[str]:
    texts = [str(each.error) for each in result.base_errors]
    return texts + [text for row in result.invalid_rows for text in row.error.messages]


def _log(request: HttpRequest, written: Written, *, file_name: str) -> None:
    groups: list[tuple[int, str, list[Any]]] = [
        (ADDITION, "Added", [*written.products_made]),
        (ADDITION, "Added", [*written.variants_made]),
        (CHANGE, "Changed", [*written.products_changed]),
        (CHANGE, "Changed", [*written.variants_changed]),
    ]
    for action, word, rows in groups:
        if rows and request.user.pk is not None:
            message = f"{word} by an import: {file_name[:100]}."
            LogEntry.objects.log_actions(request.user.pk, rows, action, message)
