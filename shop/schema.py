"""What every operation of the OpenAPI schema has in common: the errors."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from shop.errors import PROBLEM_JSON

_WHY = {
    400: "The request is not valid; `errors` names the fields.",
    401: "The token is missing, expired or not valid.",
    404: "Not there, or not yours.",
    413: "The body is larger than the shop accepts.",
    415: "The body is not `application/json`.",
    429: "Too many calls; try again after `Retry-After` seconds.",
    503: "The shop is busy; try again after `Retry-After` seconds.",
}


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details (RFC 9457). Programs read `code`, people read `detail`."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField(help_text="The phrase of the HTTP status.")
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable, for programs.")
    request_id = serializers.CharField(help_text="Name it when you ask for help.")
    # The base class has a property of this name, of which nobody asks a described answer.
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="For code `invalid`: what is wrong, by field."
    )


def problems(**why: str) -> dict[Any, OpenApiResponse]:
    """Entries for `responses=` of extend_schema: problems(s409="The cart is empty.").

    Only for what an operation refuses by itself: see `add_common_problems`.
    """
    return {
        (int(status.removeprefix("s")), PROBLEM_JSON): OpenApiResponse(
            ProblemSerializer, description=text
        )
        for status, text in why.items()
    }


def add_common_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A spectacular hook: each operation gets the errors that follow from what it takes."""
    responses = result["components"].setdefault("responses", {})
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _common(path, method, operation):
                name = f"Problem{status}"
                responses[name] = _response(status)
                reference = {"$ref": f"#/components/responses/{name}"}
                operation["responses"].setdefault(str(status), reference)
    return result


def _common(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    parameters = operation.get("parameters", [])
    takes = {parameter["in"] for parameter in parameters}
    return [
        *([400] if "requestBody" in operation or "query" in takes else []),
        *([401] if any("jwtAuth" in way for way in operation.get("security", [])) else []),
        *([404] if "{" in path else []),
        *([413] if "requestBody" in operation else []),
        *([415] if method != "get" else []),
        503,
    ]


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _WHY.get(status, HTTPStatus(status).phrase),
        "content": {PROBLEM_JSON: {"schema": schema}},
    }
