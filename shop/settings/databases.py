"""PostgreSQL: the primary, and the standbys that the catalogue may be read from."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from shop.settings.env import database, database_urls, env_choice, env_int, env_secret, env_url

_SCHEMES = {"postgres", "postgresql"}
_PRIMARY = database(env_url("DATABASE_URL", schemes=_SCHEMES))
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_PRIMARY,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_PRIMARY["OPTIONS"],
            "connect_timeout": 3,
            # Milliseconds. Nobody waits for a lock or a query longer than a shopper would.
            "options": "-c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
            f" -c statement_timeout={env_int('DATABASE_STATEMENT_TIMEOUT', default=5000)}"
            # Of a machine that is gone the server would keep the locks for two hours.
            " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10"
            " -c tcp_keepalives_count=3 -c tcp_user_timeout=60000",
        },
    }
}

# off: everything reads the primary. ignore-lag: a standby is read however late it is, but for
# those who have just written. What to choose when: DATABASE_ROUTING_STRATEGY.md.
REPLICA_ROUTING = env_choice("REPLICA_ROUTING", ["on", "off", "ignore-lag"], default="on")
# Seconds; below the 60 that a token lives, or somebody's own write would be forgotten first.
REPLICA_MAX_LAG = env_int("REPLICA_MAX_LAG", default=10, minimum=1, maximum=55)

# One or more URLs with spaces between them. Each is an alias: whoever asks a standby how far
# it is must read from that same one, so no load balancer may hide several behind one URL.
DATABASE_REPLICA_URL = env_secret("DATABASE_REPLICA_URL", default="")
_REPLICA_URLS = database_urls(DATABASE_REPLICA_URL)
REPLICAS = [f"replica{n if n > 1 else ''}" for n in range(1, len(_REPLICA_URLS) + 1)]


def _replica(url: str) -> dict[str, Any]:
    replica = database(url)
    if all(replica[part] == _PRIMARY[part] for part in ("HOST", "PORT", "NAME")):
        raise ImproperlyConfigured("DATABASE_REPLICA_URL names the primary itself.")
    return {
        **replica,
        "CONN_MAX_AGE": 60,
        # Not asked before each request: who finds it dead reads the primary instead.
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            **replica["OPTIONS"],
            "connect_timeout": 1,
            # Milliseconds. The role's own settings say the same; both are kept. The time zone,
            # so that Django need not set it by a statement of its own, which has no deadline.
            "options": "-c default_transaction_read_only=on -c statement_timeout=2000"
            " -c TimeZone=UTC",
        },
        # Django's tests make no database for it: it gets the primary's, as it is.
        "TEST": {"MIRROR": "default"},
    }


DATABASES |= dict(zip(REPLICAS, map(_replica, _REPLICA_URLS), strict=True))
DATABASE_ROUTERS = ["shop.routing.router.ReplicaRouter"]
