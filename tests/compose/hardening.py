"""What every service of a compose file has to have, and what none may have.

Takes the file as it is written, or as `docker compose config --format json` resolves it:

>>> faults({"web": {"image": "nginx:latest", "ports": ["80:80"]}})
['web: runs as nobody knows whom', 'web: may write to its root file system', ...
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Service = Mapping[str, Any]

# From outside. Everything else is published on this machine alone, if at all.
PUBLIC = {"nginx", "nginx-tls"}
# They end, and are not to be started again.
ONE_SHOT = {"db-volume", "migrate"}
STORES = {"db-primary", "db-replica", "redis", "rabbitmq", "elasticsearch"}
_TASK_SECONDS = 30
_SECRET = re.compile(r"(PASSWORD|PASS|SECRET|KEY|AUTH)$|://[^/]*:[^/@]+@")
_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


def faults(services: Mapping[str, Service]) -> list[str]:
    """A line for each thing that is not as it should be."""
    found = [
        f"{name}: {what}"
        for name, service in services.items()
        for what, is_wrong in _RULES.items()
        if is_wrong(name, service)
    ]
    return [*found, *_shared_networks(services)]


def memory(services: Mapping[str, Service]) -> dict[str, int]:
    """The bytes that each service may take at most."""
    return {name: _bytes(service["mem_limit"]) for name, service in services.items()}


def _bytes(text: str | int) -> int:
    number = str(text).lower()
    return int(number.rstrip("kmg")) * _UNITS.get(number[-1], 1)


def _shared_networks(services: Mapping[str, Service]) -> Iterator[str]:
    """nginx, which strangers talk to, reaches no data store."""
    for name in PUBLIC & set(services):
        for store in STORES & set(services):
            shared = set(services[name]["networks"]) & set(services[store]["networks"])
            if shared:
                yield f"{name}: shares the network {', '.join(sorted(shared))} with {store}"


def _is_open(name: str, service: Service) -> bool:
    return name not in PUBLIC and any(
        (port.get("host_ip") if isinstance(port, dict) else port.partition(":")[0])
        != "127.0.0.1"
        for port in service.get("ports", [])
    )


def _volume_sources(service: Service) -> Iterator[str]:
    for volume in service.get("volumes", []):
        yield volume["source"] if isinstance(volume, dict) else volume


def _restarts_otherwise(name: str, service: Service) -> bool:
    return bool(service.get("restart") != ("no" if name in ONE_SHOT else "unless-stopped"))


def _is_not_pinned(_name: str, service: Service) -> bool:
    tag = service.get("image", "").rpartition(":")[2]
    return "/" in tag or tag in {"", "latest"} or tag == service.get("image")


def _patience(service: Service) -> int:
    minutes, seconds = re.fullmatch(
        r"(?:(\d+)m)?(?:(\d+)s)?", str(service.get("stop_grace_period", "10s"))
    ).groups()  # type: ignore[union-attr]
    return 60 * int(minutes or 0) + int(seconds or 0)


def _reaches_the_host(_name: str, service: Service) -> bool:
    return any(service.get(key) == "host" for key in ("network_mode", "pid", "ipc"))


# A fault's words, and whether a service has it.
_RULES: dict[str, Callable[[str, Service], bool]] = {
    "runs as root, or as nobody knows whom": lambda _, service: (
        str(service.get("user", "0")).partition(":")[0] in {"0", "root", ""}
    ),
    "may write to its root file system": lambda _, service: not service.get("read_only"),
    "keeps capabilities": lambda _, service: (
        service.get("cap_drop") != ["ALL"] or bool(service.get("cap_add"))
    ),
    "may gain privileges": lambda _, service: (
        "no-new-privileges:true" not in service.get("security_opt", [])
        or bool(service.get("privileged"))
    ),
    "has no limit of memory": lambda _, service: not service.get("mem_limit"),
    "has no limit of processors": lambda _, service: not service.get("cpus"),
    "has no limit of processes": lambda _, service: not service.get("pids_limit"),
    "says nothing of its health": lambda name, service: (
        name not in ONE_SHOT and not service.get("healthcheck", {}).get("test")
    ),
    "is restarted otherwise": _restarts_otherwise,
    "is published to the world": _is_open,
    "is on the host's network or among its processes": _reaches_the_host,
    "holds the engine's socket": lambda _, service: any(
        "docker.sock" in source for source in _volume_sources(service)
    ),
    "has an image of no fixed version": _is_not_pinned,
    "keeps logs without end": lambda _, service: (
        "max-size" not in service.get("logging", {}).get("options", {})
    ),
    "is killed before a task can end": lambda name, service: (
        name.startswith("worker") and _patience(service) <= _TASK_SECONDS
    ),
}


def passwords(services: Mapping[str, Service]) -> list[str]:
    """What of the file as it is written holds a secret, where it should name a variable."""
    return [
        f"{name}: {variable}"
        for name, service in services.items()
        for variable, value in (service.get("environment") or {}).items()
        if _SECRET.search(variable) or _SECRET.search(str(value))
        if "${" not in str(value)
    ]
