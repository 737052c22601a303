"""The demo's passwords and keys: made when first needed, readable only to who started it."""

import secrets
from pathlib import Path

from deploy.embedded.home import write_private

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
