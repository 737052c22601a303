"""Production, behind nginx, with addresses that tell what arrived."""

import os
from pathlib import Path

from shop.settings.prod import *  # noqa: F403

ROOT_URLCONF = "tests.deploy.front_urls"
STATIC_ROOT = Path(os.environ["TEST_STATIC_ROOT"])
