"""The WSGI entry point: `granian --interface wsgi shop.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.prod")
application = get_wsgi_application()
# Imports every view now, so that no shopper waits for it.
get_resolver().url_patterns  # noqa: B018 the attribute is loaded by being read
