"""A developer's machine and `make demo`: the embedded servers, mail into files."""

import os
from pathlib import Path

from shop.settings.env import load_file

_VAR = Path(__file__).resolve().parents[2] / "var"
# Written by `python -m deploy.embedded up`: where its servers listen and their passwords.
load_file(_VAR / "env")
for _name, _value in {
    "SECRET_KEY": "development-only-never-in-production",
    "DEBUG": "true",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "DATABASE_URL": "postgres://ecommerce_user@127.0.0.1:5432/ecommerce",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/1",
    "EMAIL_FILE_PATH": str(_VAR / "mail"),
    "LOG_FORMAT": "lines",
    "FLOWER_URL": "http://127.0.0.1:5555/flower/",
}.items():
    os.environ.setdefault(_name, _value)

from shop.settings.base import *  # noqa: E402, F403 the environment must be complete first
