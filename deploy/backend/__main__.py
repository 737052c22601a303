"""`python -m deploy.backend WHAT [ARGUMENTS]`: what a container of the shop runs.

WHAT is a process of the Procfile, `release`, or any other command. It does not begin while a
server refuses our password: that gets no better by waiting, unlike a server that is away.
"""

import os
import re
import sys
from pathlib import Path

from deploy.backend.logins import refusals
from deploy.backend.release import release

_PROCFILE = Path(__file__).resolve().parents[2] / "Procfile"
_COMMAND = re.compile(r"^([\w-]+): (.+)$", re.MULTILINE)


def main(words: list[str]) -> None:
    """Become the command, or end with 1 and a line for each server that refuses us."""
    if words == ["release"]:
        sys.exit(release())
    lines = refusals(os.environ)
    if lines:
        sys.exit("\n".join(lines))
    command = _commands().get(words[0])
    if command:
        words = ["/bin/sh", "-c", f"exec {command}"]
    os.execvp(words[0], words)  # noqa: S606 what the container was started for


def _commands() -> dict[str, str]:
    return dict(_COMMAND.findall(_PROCFILE.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
