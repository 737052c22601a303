"""The OpenAPI schema: complete, valid, and shown without asking another server."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

Operation = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    loaded: dict[str, Any] = yaml.safe_load(out.getvalue())
    return loaded


def operations(schema: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is sent and what comes back if all is well."""
    for status, answer in operation["responses"].items():
        if status < "300":
            yield from answer.get("content", {}).values()
    yield from operation.get("requestBody", {}).get("content", {}).values()


def test_every_operation_is_tagged_and_named_and_shows_an_example(
    schema: dict[str, Any],
) -> None:
    found = list(operations(schema))
    assert len(found) > 15
    for name, operation in found:
        assert operation["tags"], name
        assert operation["summary"], name
        for content in contents(operation):
            assert content.get("examples"), name


def test_every_operation_tells_how_it_refuses(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        responses = set(operation["responses"])
        assert "503" in responses, name
        assert "404" in responses or "{" not in name, name
        assert {"400", "413", "415"} <= responses or "requestBody" not in operation, name


def test_every_refusal_is_a_problem(schema: dict[str, Any]) -> None:
    shared = schema["components"]["responses"]
    for name, operation in operations(schema):
        for status, answer in operation["responses"].items():
            if status >= "400":
                answer = (
                    shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
                )
                content = answer["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, name


def test_the_pages_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", page.content.decode())
    assert len(links) >= 3
    assert all(link.startswith("/static/") for link in links), links
    for link in links:
        answer = client.get(link)
        answer.close()
        assert answer.status_code == 200, link
    assert client.get("/api/schema/").status_code == 200
