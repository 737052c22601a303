"""The control: the router of the tutorials, which every test of the routing must catch."""

from typing import Any


class NaiveRouter:
    """Writes go to the primary, and every read to the replica."""

    def db_for_read(self, *_: Any, **__: Any) -> str:
        return "replica"

    def db_for_write(self, *_: Any, **__: Any) -> str:
        return "default"
