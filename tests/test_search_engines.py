"""The engines that the suite itself brings."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from apps.catalog.search.engine.document import ProductDocument


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


@pytest.mark.parametrize(
    ("analyzer", "tokens"),
    [
        ("text", ["grey", "cafe", "dir", "655", "15.6", "mug"]),
        ("stems", ["gray", "cafe", "dir", "655", "15.6", "mug"]),
        ("as_written", ["gray", "cafe", "dir", "655", "15.6", "mugs"]),
        ("pairs", ["graycaf", "cafedir", "dir655", "65515.6", "15.6mug"]),
    ],
)
def test_takes_words_apart_as_the_mapping_says(
    search_engine: str, analyzer: str, tokens: list[str]
) -> None:
    body = ProductDocument._index.to_dict()
    call(search_engine, "/analysed", method="PUT", body=body)
    asked = {"analyzer": analyzer, "text": "Gray Café DIR-655, 15.6 Mugs."}
    found = call(search_engine, "/analysed/_analyze", method="POST", body=asked)["tokens"]
    call(search_engine, "/analysed", method="DELETE")
    assert isinstance(found, list)
    assert [token["token"] for token in found] == tokens
