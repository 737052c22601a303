"""Loaded by pytest before Django's settings: the real servers that the suite runs against.

Each is taken from its environment variable; what is not set there is started under var/test,
where it stays for the next run. RabbitMQ is started by the fixture that needs it: conftest.py.
"""

import os
from pathlib import Path

from deploy.embedded import Servers

DIRECTORY = Path(__file__).resolve().parents[1] / "var" / "test"
_NEEDED = {"DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "CELERY_BROKER_URL"}

if not os.environ.keys() >= _NEEDED:
    for _name, _value in Servers(DIRECTORY).up().items():
        os.environ.setdefault(_name, _value)
os.environ.setdefault("EMAIL_FILE_PATH", str(DIRECTORY / "mail"))
