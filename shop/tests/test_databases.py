"""What every connection to the primary asks of it."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_locks_of_a_machine_that_is_gone_are_given_back_within_a_minute() -> None:
    if not connection.settings_dict["HOST"] or connection.settings_dict["HOST"].startswith("/"):
        pytest.skip("a socket of this machine")
    seconds = []
    with connection.cursor() as cursor:
        for name in ("idle", "interval", "count"):
            cursor.execute(f"SHOW tcp_keepalives_{name}")
            seconds.append(int(cursor.fetchone()[0]))
        cursor.execute("SHOW tcp_user_timeout")  # while an answer is on its way to it
        assert int(cursor.fetchone()[0]) == 60_000
    idle, interval, count = seconds
    assert 0 < idle + interval * count <= 60
