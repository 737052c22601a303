"""What the pages of the admin are made of: Unfold's classes under Django's types.

Unfold carries no types, so the checker sees Django's classes, which Unfold's extend.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold import decorators
from unfold.enums import ActionVariant

__all__ = [
    "DialogForm",
    "DropdownFilter",
    "ModelAdmin",
    "ModelForm",
    "PageAction",
    "ReadOnlyAdmin",
    "TabularInline",
    "button",
    "label",
    "leave_dialog",
    "link",
    "log_changes",
    "panel",
    "preformatted",
]

M = TypeVar("M", bound=Model)
PageAction = Callable[..., HttpResponse]

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.admin import TabularInline
    from django.forms import Form as DialogForm
    from django.forms import ModelForm
else:
    from django import forms
    from unfold import admin
    from unfold.contrib.filters.admin import DropdownFilter
    from unfold.forms import BaseDialogForm as DialogForm

    class _ModelAdmin(admin.ModelAdmin):
        __class_getitem__ = classmethod(lambda cls, _model: cls)

    class TabularInline(admin.TabularInline):
        __class_getitem__ = classmethod(lambda cls, _models: cls)

    class ModelForm(forms.ModelForm):
        __class_getitem__ = classmethod(lambda cls, _model: cls)


class ModelAdmin(_ModelAdmin[M]):
    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list; what no filter or search can mean is left out, as Django does for most."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError) as error:
            if not request.GET:
                raise
            raise IncorrectLookupParameters(error) from error


class ReadOnlyAdmin(ModelAdmin[M]):
    """For what only the shop's own functions write: to be found and read, never edited."""

    list_fullwidth = True

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: M | None = None) -> bool:
        return False


def label(text: str, *, color: str | None) -> str:
    """The text as a colored label: info, success, warning, danger, or None for gray."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": color})


def button(
    text: str,
    *,
    icon: str,
    question: str,
    permission: str,
    is_dangerous: bool = False,
    form: type[DialogForm] = DialogForm,
) -> Callable[[PageAction], PageAction]:
    """A button of an object's page. It asks `question` first, and acts by POST only, with the
    form's answers."""

    def decorate(function: PageAction) -> PageAction:
        @wraps(function)
        def act(
            page: _ModelAdmin[Any], request: HttpRequest, answers: Any, *, object_id: str
        ) -> HttpResponse:
            if page.get_object(request, object_id) is None:
                raise Http404
            return function(page, request, answers, object_id=object_id)

        wrapped: PageAction = decorators.action(
            act,
            description=text,
            icon=icon,
            permissions=[permission],
            variant=ActionVariant.DANGER if is_dangerous else ActionVariant.DEFAULT,
            dialog={
                "title": text,
                "description": question,
                "form_submit_text": text,
                "form_class": form,
            },
        )
        return wrapped

    return decorate


def leave_dialog(url: str) -> HttpResponse:
    """Send the page behind a button's dialog to `url`."""
    return HttpResponse(headers={"HX-Redirect": url})


def log_changes(request: HttpRequest, rows: Sequence[Model], message: str) -> None:
    """Write into each row's history what the person did; one statement for all."""
    user_id = request.user.pk
    if user_id is not None and rows:
        LogEntry.objects.log_actions(user_id, rows, CHANGE, message)


def link(url: str, text: object) -> str:
    """A link that looks like one, in a list as on a page."""
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text
    )


def preformatted(text: str) -> str:
    """Lines as they are: a traceback, the text of a mail."""
    return format_html(
        '<pre class="text-xs" style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>',
        text,
    )


def panel(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str
) -> dict[str, Any]:
    """A titled table for shop/admin/panels.html; `empty` is said when there are no rows."""
    return {"title": title, "table": {"headers": headers, "rows": rows}, "empty": empty}
