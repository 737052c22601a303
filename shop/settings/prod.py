"""Production: refuses what is safe only on a developer's machine."""

from django.core.exceptions import ImproperlyConfigured

from shop.settings.base import *  # noqa: F403
from shop.settings.base import ALLOWED_HOSTS, DEBUG, SECRET_KEY
from shop.settings.env import env_bool, env_int, env_list

if DEBUG:
    raise ImproperlyConfigured("DEBUG must be false in production.")
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the shop's host names in production.")
if len(SECRET_KEY) < 40 or SECRET_KEY.startswith(("development", "django-insecure")):
    raise ImproperlyConfigured("SECRET_KEY must be a random text of 40 or more characters.")

CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
SECURE_SSL_REDIRECT = env_bool("SECURE_SSL_REDIRECT", default=True)
# A container's own check comes without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = env_int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
# Names with a hash in them, which browsers may keep for ever, and compressed files beside them.
# `manage.py collectstatic` makes both, once a version.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# The proxy in front must set or drop this header; deploy/nginx sets it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
