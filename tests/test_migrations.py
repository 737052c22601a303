"""The migrations make what the models say."""

from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    output = StringIO()
    with suppress(SystemExit):  # if one has
        call_command("makemigrations", "--check", "--dry-run", stdout=output)
    assert output.getvalue() == "No changes detected\n"
