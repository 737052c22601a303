"""The test suite: production's rules on servers that tests/servers.py has started."""

import os

for _name, _value in {
    "SECRET_KEY": "for-tests-only-and-long-enough-to-sign-with-it",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "COOKIE_SECURE": "false",
    # Tests make rows by hand, without a token: those of the routing switch it on.
    "REPLICA_ROUTING": "off",
    # Making and dropping the test database takes longer than any query of the shop.
    "DATABASE_STATEMENT_TIMEOUT": "60000",
}.items():
    os.environ.setdefault(_name, _value)

from shop.settings.base import *  # noqa: E402, F403 the environment must be complete first

# Beside standard error: tests/log_lines.py searches what all processes of a run have logged.
LOGGING["formatters"]["json"] = {"()": "shop.log_lines.formatter", "form": "json"}  # noqa: F405
LOGGING["handlers"]["kept"] = {  # noqa: F405
    "class": "logging.FileHandler",
    "filename": os.environ.get("TEST_LOG", os.devnull),
    "formatter": "json",
    "level": "INFO",  # a test may switch on what production would not log
}
LOGGING["root"]["handlers"].append("kept")  # noqa: F405

_SUFFIX = os.environ.get("TEST_DB_SUFFIX", "shop")
DATABASES["default"]["TEST"] = {"NAME": f"test_{_SUFFIX}"}  # noqa: F405
CACHES["default"]["KEY_PREFIX"] = _SUFFIX  # noqa: F405
# Tests call often, all from one address. Those of the throttles lower their own rate.
THROTTLE_RATES = dict.fromkeys(THROTTLE_RATES, 1_000_000)  # noqa: F405

# Hashing a password slowly is what production wants and a hundred tests do not.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files straight from the packages: nothing has been collected.
WHITENOISE_AUTOREFRESH = True
