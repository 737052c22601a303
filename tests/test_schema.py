"""The OpenAPI schema is complete, and the API keeps to it whatever it is sent."""

import io
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from hypothesis import HealthCheck, settings
from rest_framework_simplejwt.tokens import RefreshToken
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.accounts.models import User
from shop.wsgi import application
from tests.builders import make_user

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)


def test_the_schema_is_valid_and_leaves_no_view_undescribed() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["a stranger", "ada"])
@schema.parametrize()
@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_answer_is_a_described_one(case: "schemathesis.Case[Any]", who: str) -> None:
    case.call_and_validate(headers=_headers(who), checks=_CHECKS)


def _headers(who: str) -> dict[str, str]:
    if who == "a stranger":
        return {}
    ada = User.objects.filter(email="ada@example.com").first() or make_user("ada@example.com")
    return {"Authorization": f"Bearer {RefreshToken.for_user(ada).access_token}"}
