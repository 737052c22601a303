"""Settings from the environment, which refuse nonsense at start-up instead of guessing."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MISSING = object()


def env_str(name: str, *, default: Any = _MISSING) -> str:
    """The variable's text; without a default, its absence stops start-up."""
    value = os.environ.get(name, default)
    if value is _MISSING:
        raise ImproperlyConfigured(f"{name} is not set.")
    return str(value)


def env_choice(name: str, choices: Sequence[str], *, default: str) -> str:
    """One of `choices`."""
    value = env_str(name, default=default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(choices)}.")
    return value


def env_bool(name: str, *, default: bool) -> bool:
    """True or False; any other word stops start-up ("False" must never mean true)."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        return _WORDS[raw.strip().lower()]
    except KeyError:
        raise ImproperlyConfigured(f"{name}={raw!r} is neither true nor false.") from None


def env_int(name: str, *, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number of at least `minimum` and at most `maximum`."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a whole number.") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name}={value} is below {minimum}.")
    if maximum is not None and value > maximum:
        raise ImproperlyConfigured(f"{name}={value} is above {maximum}.")
    return value


def env_list(name: str, *, default: str = "") -> list[str]:
    """The comma-separated words of the variable."""
    return [word.strip() for word in env_str(name, default=default).split(",") if word.strip()]


def env_secret(name: str, *, default: Any = _MISSING) -> str:
    """The secret in NAME, or in the file that NAME_FILE names (container secrets)."""
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return env_str(name, default=default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE={path!r} cannot be read: {error}.") from None


def env_url(name: str, *, schemes: set[str], default: Any = _MISSING) -> str:
    """The URL in NAME or NAME_FILE, whose scheme must be one of `schemes`."""
    url = env_secret(name, default=default)
    if url == default:
        return url
    scheme = _scheme(name, url)
    if scheme not in schemes:
        raise ImproperlyConfigured(
            f"{name} has the scheme {scheme!r}; this shop knows {', '.join(sorted(schemes))}."
        )
    return url


def _scheme(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is read only now
    except ValueError:  # its text may hold the password
        raise ImproperlyConfigured(
            f"{name} is no URL: its host or port is odd, or its password has a / or another"
            " sign that must be written like %2F."
        ) from None
    return parts.scheme


def database(url: str) -> dict[str, Any]:
    """Django's connection settings for a postgres:// URL; its query becomes OPTIONS."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def database_urls(text: str) -> list[str]:
    """The postgres:// URLs in a text with spaces between them."""
    urls = text.split()
    name = "DATABASE_REPLICA_URL"
    if any(_scheme(name, url) not in {"postgres", "postgresql"} for url in urls):
        raise ImproperlyConfigured(f"{name} holds what is no postgres:// URL.")
    return urls


def load_file(path: Path) -> None:
    """Take KEY=value lines of `path` as defaults for the environment, if the file is there."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())
