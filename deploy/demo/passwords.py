"""The demo's passwords and keys: made when first needed, readable only to who started it.

`python -m deploy.demo.passwords` prints Flower's login, for `make run`.
"""

import secrets
import sys
from pathlib import Path

from deploy.embedded.home import write_private
from deploy.processes import ROOT

# Each with its bytes of randomness: people type a password, nobody types the key.
NAMES = {
    "DEMO_ADMIN_PASSWORD": 12,
    "DEMO_SHOPPER_PASSWORD": 12,
    "DEMO_FLOWER_PASSWORD": 12,
    "SECRET_KEY": 32,
}


def demo_passwords(directory: Path) -> dict[str, str]:
    """The password for each of NAMES, the same as long as `demo-passwords` has it."""
    path = directory / "demo-passwords"
    lines = path.read_text().splitlines() if path.exists() else []
    known = dict(line.split("=", 1) for line in lines)
    passwords = {
        name: known.get(name) or secrets.token_urlsafe(size) for name, size in NAMES.items()
    }
    if passwords != known:
        text = "".join(f"{name}={password}\n" for name, password in passwords.items())
        write_private(path, text)
    return passwords


def flower_login(passwords: dict[str, str]) -> str:
    """FLOWER_BASIC_AUTH for these passwords."""
    return f"admin:{passwords['DEMO_FLOWER_PASSWORD']}"


if __name__ == "__main__":
    sys.stderr.write("Flower's user is admin, its password is in var/demo-passwords.\n")
    sys.stdout.write(flower_login(demo_passwords(ROOT / "var")))
