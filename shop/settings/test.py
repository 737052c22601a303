"""The test suite: production's rules on servers that tests/servers.py has started."""

import os

for _name, _value in {
    "SECRET_KEY": "for-tests-only-and-long-enough-to-sign-with-it",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "COOKIE_SECURE": "false",
    "THROTTLE": "false",
}.items():
    os.environ.setdefault(_name, _value)

from shop.settings.base import *  # noqa: E402, F403 the environment must be complete first

DATABASES["default"]["TEST"] = {"NAME": "test_" + os.environ.get("TEST_DB_SUFFIX", "shop")}  # noqa: F405

# Hashing a password slowly is what production wants and a hundred tests do not.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
