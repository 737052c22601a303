"""A document that lacks a field of the mapping, or has another one, does not start."""

import pytest

from apps.catalog.search import checks
from apps.catalog.search.engine.document import ProductDocument


def test_documents_have_exactly_the_fields_of_the_mapping() -> None:
    assert checks.documents_are_whole() == []


def test_a_library_that_leaves_the_fields_out_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What elasticsearch 9.4 makes of the library's own class attribute.
    monkeypatch.setattr(ProductDocument, "_prepared_fields", [])
    monkeypatch.setattr(ProductDocument, "init_prepare", lambda _self: [])
    (error,) = checks.documents_are_whole()
    assert error.id == "search.E001"
    assert "prices" in error.msg
