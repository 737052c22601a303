"""What a newer version of the shop says and this one does not know."""

import inspect
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

log = logging.getLogger(__name__)


def known_arguments(
    function: Callable[..., Any], arguments: dict[str, Any], *, of: str
) -> dict[str, Any]:
    """The keyword arguments that `function` takes; a warning names the others.

    While a new version is rolled out, its messages reach processes of the old one.
    """
    known = _parameters(function)
    unknown = sorted(name for name in arguments if known is not None and name not in known)
    if unknown:
        log.warning("%s: arguments of another version left out: %s", of, ", ".join(unknown))
    return {name: value for name, value in arguments.items() if name not in unknown}


@cache
def _parameters(function: Callable[..., Any]) -> frozenset[str] | None:
    """Their names; None when it takes any."""
    parameters = inspect.signature(function).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    return None if takes_any else frozenset(parameters)
