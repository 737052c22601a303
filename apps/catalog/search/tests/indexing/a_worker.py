"""A worker that drains for ever, and is slow between reading a product and writing it."""

import random
import time
from typing import Any

import django

django.setup()

from apps.catalog.search.indexing import draining  # noqa: E402
from apps.catalog.search.indexing.writing import EngineAway, write  # noqa: E402


def _write_slowly(*args: Any, **options: Any) -> set[int]:
    time.sleep(random.uniform(0, 0.5))
    return write(*args, **options)


draining.__dict__["write"] = _write_slowly
draining.__dict__["_BATCH"] = 5  # so that several have something to do

while True:
    try:
        if not draining.drain_batch():
            time.sleep(0.05)
    except EngineAway:
        time.sleep(0.2)
