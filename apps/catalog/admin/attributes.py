"""The field of the product's form that a person writes attributes in."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.catalog.attributes import Attributes, BadAttributes, as_text, from_text


class AttributesField(forms.CharField):
    """Lines of `Name: value` here, names with lists of texts in the model."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
            help_text="One a line, such as “Colour: Red”; a name with several values on several"
            " lines. Shoppers filter by those with short values.",
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return as_text(value) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return from_text(text or "")
        except BadAttributes as bad:
            raise forms.ValidationError(bad.problems) from bad

    def has_changed(self, initial: Attributes | None, data: Any) -> bool:
        try:
            return from_text(data or "") != (initial or {})
        except BadAttributes:
            return True
