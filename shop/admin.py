"""What the pages of the admin are made of: Unfold's classes under Django's types.

Unfold carries no types, so the checker sees Django's classes, which Unfold's extend.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.admin import display
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold import decorators
from unfold.enums import ActionVariant

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
else:
    from unfold import admin

    class ModelAdmin(admin.ModelAdmin):
        __class_getitem__ = classmethod(lambda cls, _model: cls)

    class TabularInline(admin.TabularInline):
        __class_getitem__ = classmethod(lambda cls, _models: cls)


class ReadOnlyAdmin(ModelAdmin[M]):
    """For what only the shop's own functions write: to be found and read, never edited."""

    list_fullwidth = True

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: M | None = None) -> bool:
        return False


def label(
    colors: Mapping[str, str], *, ordering: str | None = None, description: str | None = None
) -> Callable[[Decorated], Decorated]:
    """A list column shown as a colored label: the value's color is info, success and so on."""

    def decorate(function: Decorated) -> Decorated:
        function.label = dict(colors)  # type: ignore[attr-defined]  # what Unfold looks for
        return display(function, ordering=ordering, description=description)

    return decorate


def button(
    text: str, *, icon: str, question: str, permission: str, is_dangerous: bool = False
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A button of an object's page. It asks `question` first, and acts by POST only."""

    def decorate(function: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        wrapped: Callable[..., HttpResponse] = decorators.action(
            function,
            description=text,
            icon=icon,
            permissions=[permission],
            variant=ActionVariant.DANGER if is_dangerous else ActionVariant.DEFAULT,
            dialog={"title": text, "description": question, "form_submit_text": text},
        )
        return wrapped

    return decorate


def leave_dialog(url: str) -> HttpResponse:
    """Send the page behind a button's dialog to `url`."""
    return HttpResponse(headers={"HX-Redirect": url})


def panel(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str
) -> dict[str, Any]:
    """A titled table for shop/admin/panels.html; `empty` is said when there are no rows."""
    return {"title": title, "table": {"headers": headers, "rows": rows}, "empty": empty}
