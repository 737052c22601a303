"""`python -m deploy.replay PATH [--rabbitmq]`: recorded orders through a pipeline of their own.

Further options go to `manage.py replay_orders`, and the exit status is its own.
"""

import argparse
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command, execute_from_command_line

from deploy.embedded import ServerUnavailable
from deploy.local import (
    PIPELINE,
    Busy,
    local_servers,
    migrate,
    set_up_django,
    shop_environment,
)
from deploy.processes import ROOT, Processes

# Beside the demo's, so that neither finds the other's orders.
DIRECTORY = ROOT / "var" / "replay"


def main() -> int:
    """Start servers, relay and workers, replay, and stop them again."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.replay", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("path", type=Path, help="JSON lines, gzip or not")
    parser.add_argument("--rabbitmq", action="store_true", help="RabbitMQ instead of Redis")
    parser.add_argument("--dir", type=Path, default=DIRECTORY, help="default: var/replay")
    arguments, options = parser.parse_known_args()
    try:
        arguments.path.open("rb").close()  # starting servers for a typo would take a while
        _replay(
            [str(arguments.path), *options],
            directory=arguments.dir,
            rabbitmq=arguments.rabbitmq,
        )
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 130
    except (ServerUnavailable, Busy, CommandError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _replay(arguments: Sequence[str], *, directory: Path, rabbitmq: bool) -> None:
    with local_servers(directory, rabbitmq=rabbitmq) as servers:
        environment = shop_environment(servers)
        set_up_django(environment)
        migrate()
        call_command("declare_queues", stdout=StringIO())
        with Processes(environment=environment, directory=directory) as processes:
            processes.start(PIPELINE)
            try:
                execute_from_command_line(["manage.py", "replay_orders", *arguments])
            finally:
                memory = ", ".join(f"{n} {mib}" for n, mib in processes.memory().items())
                sys.stdout.write(f"memory in MiB, children included: {memory}\n")


if __name__ == "__main__":
    sys.exit(main())
