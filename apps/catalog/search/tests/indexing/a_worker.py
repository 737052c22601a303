"""A worker that drains for ever, slow between reading a product and writing it, and late to
hear of a new index."""

import random
import time
from typing import Any

import django

django.setup()

from django.db import OperationalError  # noqa: E402

from apps.catalog.search.indexing import draining  # noqa: E402
from apps.catalog.search.indexing.renaming import follow_renamings  # noqa: E402
from apps.catalog.search.indexing.writing import (  # noqa: E402
    EngineAway,
    write,
    written_indexes,
)
from apps.catalog.search.tests.indexing.lateness import LATENESS, SLOWNESS  # noqa: E402

_known: list[str] = []
_known_until = 0.0


def _write_slowly(*args: Any, **options: Any) -> set[int]:
    time.sleep(random.uniform(0, SLOWNESS))
    return write(*args, **options)


def _written_indexes_of_late() -> list[str]:
    global _known, _known_until  # noqa: PLW0603 the process is one worker
    if time.monotonic() > _known_until:
        _known = written_indexes()
        _known_until = time.monotonic() + LATENESS
    return _known


draining.__dict__["write"] = _write_slowly
draining.__dict__["written_indexes"] = _written_indexes_of_late
draining.__dict__["_BATCH"] = 100  # so that several have something to do

while True:
    try:
        follow_renamings(until=time.monotonic() + 0.1)
        if not draining.drain_batch():
            time.sleep(0.05)
    except (EngineAway, OperationalError):
        time.sleep(0.2)
