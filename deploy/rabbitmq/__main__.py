"""`python -m deploy.rabbitmq [--vhost shop]`: definitions for `rabbitmqctl import_definitions`.

Prints a virtual host, the users of relay, workers and Flower and their rights. The passwords
come from RABBITMQ_RELAY_PASSWORD, RABBITMQ_WORKER_PASSWORD and RABBITMQ_FLOWER_PASSWORD.
"""

import argparse
import json
import os
import sys

from deploy.rabbitmq import RIGHTS, definitions


def main() -> int:
    """Print them; 1 with a line if a password is missing."""
    parser = argparse.ArgumentParser(prog="python -m deploy.rabbitmq", description=__doc__)
    parser.add_argument("--vhost", default="shop", help="default: shop")
    arguments = parser.parse_args()
    variables = {role: f"RABBITMQ_{role.upper()}_PASSWORD" for role in RIGHTS}
    missing = [name for name in variables.values() if not os.environ.get(name)]
    if missing:
        sys.stderr.write(f"Not set: {', '.join(missing)}\n")
        return 1
    passwords = {role: os.environ[name] for role, name in variables.items()}
    made = definitions(virtual_host=arguments.vhost, passwords=passwords)
    sys.stdout.write(f"{json.dumps(made, indent=1)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
