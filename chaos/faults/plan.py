"""What is to go wrong now: a file that the suite writes and every process reads.

A file and not the environment, so that a trial need not start the processes anew.
"""

import json
import os
import random
import signal
from pathlib import Path
from typing import Any

_random = random.Random()  # noqa: S311 no secret


def _seed() -> None:
    _random.seed(f"{os.environ.get('CHAOS_SEED')}-{os.getpid()}")


_seed()
# Or every pool process of a worker would draw the same numbers, and die at the same points.
os.register_at_fork(after_in_child=_seed)


def directory() -> Path:
    """Where the plan and what processes note for the suite are."""
    return Path(os.environ["CHAOS_DIRECTORY"])


def write(plan: dict[str, Any]) -> None:
    """Make `plan` hold for every process from now on; an empty one ends all faults."""
    new = directory() / "plan.new"
    new.write_text(json.dumps(plan))
    new.rename(directory() / "plan.json")


def setting(name: str) -> Any:
    """What the plan says about `name`, or None."""
    try:
        return json.loads((directory() / "plan.json").read_text()).get(name)
    except FileNotFoundError:
        return None


def crash_if(point: str) -> None:
    """Die here by SIGKILL, with the probability that the plan gives this point."""
    if _random.random() < (setting(point) or 0):
        note("crashes", point)
        os.kill(os.getpid(), signal.SIGKILL)


def shuffled(items: list[Any]) -> list[Any]:
    """The same items in random order."""
    return _random.sample(items, len(items))


def between(low: int, high: int) -> int:
    """A random whole number, both ends included."""
    return _random.randint(low, high)


def note(name: str, text: str) -> None:
    """Leave one line for the suite. Short lines of several processes do not mix."""
    with (directory() / name).open("a") as file:
        file.write(f"{text}\n")


def notes(name: str) -> list[str]:
    """The lines that were left under `name`."""
    path = directory() / name
    return path.read_text().splitlines() if path.exists() else []


def forget_notes() -> None:
    for name in ("crashes", "runs", "redelivered", "poisoned"):
        (directory() / name).unlink(missing_ok=True)
