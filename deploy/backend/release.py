"""What a version of the shop needs before its processes start. Every step may be repeated."""

import base64
import http.client
import json
import os
import sys
from urllib.parse import urlsplit

import django
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from deploy.backend.logins import ADVICE, refusals
from deploy.rabbitmq import RIGHTS, definitions

# The ledger only grows. A trigger says so, too, but the owner of a table can drop a trigger.
_LEDGER = "REVOKE UPDATE, DELETE, TRUNCATE ON catalog_stockmovement FROM ecommerce_user"


def release() -> int:
    """Tables, the broker's users and queues, static files; 1 with a line if that fails."""
    django.setup()
    try:
        _make_users()
        lines = refusals(os.environ)
        if lines:
            raise CommandError("\n".join(lines))
        call_command("migrate", interactive=False)
        with connection.cursor() as cursor:
            cursor.execute(_LEDGER)
        call_command("declare_queues")
        call_command("collectstatic", interactive=False, verbosity=0)
    except (CommandError, OperationalError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _make_users() -> None:
    """Tell RabbitMQ of its users and their rights, as RABBITMQ_ADMIN_URL's administrator."""
    passwords = {role: os.environ[f"RABBITMQ_{role.upper()}_PASSWORD"] for role in RIGHTS}
    url = urlsplit(os.environ["RABBITMQ_ADMIN_URL"])
    login = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    made = json.dumps(definitions(virtual_host="shop", passwords=passwords))
    server = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    try:
        server.request("POST", "/api/definitions", body=made, headers=headers)
        status = server.getresponse().status
    finally:
        server.close()
    if status == http.client.UNAUTHORIZED:
        raise CommandError(
            f"RABBITMQ_ADMIN_URL: {url.hostname} refuses user {url.username}. {ADVICE}"
        )
    if status >= http.client.BAD_REQUEST:
        raise CommandError(f"RabbitMQ does not take its users: it answers {status}")
    sys.stdout.write(f"RabbitMQ knows {', '.join(f'shop-{role}' for role in RIGHTS)}\n")
