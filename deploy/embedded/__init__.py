"""Real servers for development, demo and tests, run by whoever needs them, without Docker.

>>> Servers(Path("var")).up()["DATABASE_URL"]
'postgres://ecommerce_user:...@127.0.0.1:24312/ecommerce'
"""

from deploy.embedded.process import ServerUnavailable
from deploy.embedded.servers import Servers, Status

__all__ = ["ServerUnavailable", "Servers", "Status"]
