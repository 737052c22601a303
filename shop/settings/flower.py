"""Flower's settings: `celery --app shop flower --conf=shop/settings/flower.py`.

Flower executes this file, and takes every name that is an option of its own.
"""

from pathlib import Path

from django.conf import settings

from shop.settings.env import env_int, env_secret, env_str

_login = env_secret("FLOWER_BASIC_AUTH", default="")
if not all(_login.partition(":")):
    raise SystemExit("FLOWER_BASIC_AUTH is not user:password. Flower does not start without.")
basic_auth = [_login]

# /metrics and /healthcheck ask for no password. nginx closes them (deploy/nginx/flower.conf),
# so nobody but nginx may reach Flower.
address = env_str("FLOWER_ADDRESS", default="127.0.0.1")
port = env_int("FLOWER_PORT", default=5555)
url_prefix = "flower"

# Its API could start tasks past the outbox, and its buttons stop workers.
read_only = True

# A restart must not forget what it has seen; a kill costs the last five seconds.
persistent = True
state_save_interval = 5000  # milliseconds
db = env_str("FLOWER_DB", default=str(Path(__file__).resolve().parents[2] / "var/flower/state"))
# It is read back as pickles: whoever can write there is Flower.
Path(db).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
max_tasks = 10_000  # all of them are written anew each time

if settings.RABBITMQ_MANAGEMENT_URL:
    broker_api = f"{settings.RABBITMQ_MANAGEMENT_URL.rstrip('/')}/api/"
