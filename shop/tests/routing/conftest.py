"""A shop whose routing is on, and a real standby of its database to read from."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from deploy.embedded.standby import Standby
from shop.routing import replicas
from shop.routing.heartbeat import tell_the_time
from tests.standby import catch_up


@pytest.fixture
def routed(standby: Standby, settings: Any, transactional_db: None) -> Iterator[Standby]:
    """Routing is on, and the standby is healthy, caught up, and known to nobody yet."""
    settings.REPLICA_ROUTING = "on"
    # There is one heartbeat, and a standby that a test takes away may be back only after 10 s.
    settings.REPLICA_MAX_LAG = 55
    settings.DEBUG = True  # for the header that tells which database answered
    tell_the_time()
    catch_up(standby)
    replicas.forget()
    yield standby
    replicas.forget()
    connections["replica"].close()
