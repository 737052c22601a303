"""Whether the servers let us in with the passwords that we have."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import amqp
import psycopg2
import redis

ADVICE = "Was its volume made with another password?"
_SECONDS = 3
_REFUSED_BY_POSTGRESQL = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "is not permitted to log in",
)


def refusals(environment: Mapping[str, str]) -> list[str]:
    """A line for each variable whose server refuses the user or the password in it.

    Asked are the servers of all `..._URL` and `..._URL_FILE` that hold a password. One that
    cannot be reached refuses nobody: the shop waits for it, or does without.
    """
    return [line for name, url in _urls(environment) for line in _refusal(name, url)]


def _urls(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(environment.items()):
        if name.endswith("_URL_FILE"):
            value = Path(value).read_text(encoding="utf-8")
        elif not name.endswith("_URL"):
            continue
        for url in value.split():
            yield name.removesuffix("_FILE"), url


def _refusal(name: str, url: str) -> Iterator[str]:
    parts = urlsplit(url)
    asked = _SERVERS.get(parts.scheme)
    if asked is None or parts.password is None:
        return
    reason = asked(url, parts)
    if reason:
        user = f"user {parts.username}" if parts.username else "us"
        yield f"{name}: {parts.hostname} refuses {user}: {reason.rstrip('.')}. {ADVICE}"


def _postgresql(url: str, _parts: SplitResult) -> str:
    try:
        psycopg2.connect(url, connect_timeout=_SECONDS).close()
    except psycopg2.OperationalError as error:
        return next((words for words in _REFUSED_BY_POSTGRESQL if words in str(error)), "")
    return ""


def _redis(url: str, _parts: SplitResult) -> str:
    client = redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    try:
        client.ping()
    except redis.AuthenticationError as error:
        return str(error)
    except redis.RedisError:
        return ""
    finally:
        client.close()
    return ""


def _rabbitmq(_url: str, parts: SplitResult) -> str:
    connection = amqp.Connection(
        host=f"{parts.hostname}:{parts.port or 5672}",
        userid=parts.username or "",
        password=parts.password or "",
        virtual_host=parts.path.removeprefix("/") or "/",
        connect_timeout=_SECONDS,
    )
    try:
        connection.connect()
    except (amqp.AccessRefused, amqp.NotAllowed) as error:
        return str(error.reply_text)
    except (OSError, amqp.AMQPError):
        return ""
    finally:
        connection.collect()
    return ""


_SERVERS = {
    "postgres": _postgresql,
    "postgresql": _postgresql,
    "redis": _redis,
    "amqp": _rabbitmq,
}
