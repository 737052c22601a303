"""The engines that the suite itself brings."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest


def call(url: str, path: str, *, method: str = "GET", body: object = None) -> dict[str, object]:
    request = Request(  # noqa: S310 our own server
        f"{url}{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, object] = json.load(answer)
    return found


def test_says_what_it_is(search_engine: str) -> None:
    version = call(search_engine, "/")["version"]
    assert isinstance(version, dict)
    assert str(version["number"]).startswith(("3.8.", "9.3."))


def test_refuses_to_guess_a_mapping(search_engine: str) -> None:
    with pytest.raises(HTTPError) as refused:
        call(search_engine, "/no-such-index/_doc/1", method="PUT", body={"name": "Mug"})
    with refused.value as answer:
        assert answer.code == 404


def test_stems_folds_and_splits_as_the_mapping_needs(search_engine: str) -> None:
    filters: dict[str, object] = {
        "parts": {"type": "word_delimiter_graph", "preserve_original": True},
        "stems": {"type": "stemmer", "language": "light_english"},
    }
    body = {
        "tokenizer": "whitespace",
        "filter": [filters["parts"], "lowercase", "asciifolding", filters["stems"]],
        "text": "Café DIR-655 mugs",
    }
    found = call(search_engine, "/_analyze", method="POST", body=body)["tokens"]
    assert isinstance(found, list)
    tokens = {token["token"] for token in found}
    assert {"cafe", "dir-655", "dir", "655", "mug"} <= tokens
