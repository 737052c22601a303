"""`python -m deploy.embedded up|down|status|env [--dir var] [--rabbitmq]`."""

import argparse
import shlex
import sys
from pathlib import Path

from deploy.embedded.process import ServerUnavailable
from deploy.embedded.servers import Servers

DEFAULT_DIRECTORY = Path(__file__).resolve().parents[2] / "var"


def main() -> int:
    """Do what the command line says and return the exit status."""
    arguments = _parser().parse_args()
    try:
        servers = Servers(arguments.dir)
        if arguments.command == "up":
            servers.up(rabbitmq=arguments.rabbitmq)
            return _report(servers)
        if arguments.command == "down":
            servers.down()
            return _report(servers, wanted="down")
        if arguments.command == "env":
            return _export(servers)
        return _report(servers)
    except ServerUnavailable as problem:
        sys.stderr.write(f"{problem}\n")
        _show_end(problem.log)
    except OSError as problem:
        sys.stderr.write(f"{arguments.dir}: {problem}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "env"])
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, help="default: var")
    parser.add_argument("--rabbitmq", action="store_true", help="start RabbitMQ too")
    return parser


def _report(servers: Servers, *, wanted: str = "up") -> int:
    """Write a line a server; 3 if one that belongs to every set is not as wanted."""
    as_wanted = True
    for name, state, pid, version, address, note in servers.status():
        took = f"{servers.took[name]} ms" if name in servers.took else ""
        line = f"{name:10}{state:5}{took:>8}  {pid or '':<8}{version:9.9} {address:16} {note}"
        sys.stdout.write(f"{line.rstrip()}\n")
        as_wanted &= state == wanted or name.startswith("rabbitmq")
    return 0 if as_wanted else 3


def _export(servers: Servers) -> int:
    for key, value in servers.environment().items():
        sys.stdout.write(f"export {key}={shlex.quote(value)}\n")
    return 0


def _show_end(log: Path | None) -> None:
    if log is not None and log.exists():
        last = log.read_text(errors="replace").splitlines()[-10:]
        sys.stderr.write("\n".join([f"the end of {log}:", *last, ""]))


if __name__ == "__main__":
    sys.exit(main())
