"""The demo's passwords: made at the first start, readable only to who started it."""

import secrets
from pathlib import Path

from deploy.embedded.home import write_private

NAMES = ("DEMO_ADMIN_PASSWORD", "DEMO_SHOPPER_PASSWORD", "DEMO_FLOWER_PASSWORD")


def demo_passwords(directory: Path) -> dict[str, str]:
    """The password for each of NAMES, the same as long as `demo-passwords` is there."""
    path = directory / "demo-passwords"
    if not path.exists():
        lines = [f"{name}={secrets.token_urlsafe(12)}\n" for name in NAMES]
        write_private(path, "".join(lines))
    return dict(line.split("=", 1) for line in path.read_text().splitlines())
