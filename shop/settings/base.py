"""What is the same everywhere. Everything that differs comes from the environment."""

from datetime import timedelta
from pathlib import Path

from shop.settings.admin import *  # noqa: F403
from shop.settings.api import *  # noqa: F403
from shop.settings.databases import *  # noqa: F403
from shop.settings.env import (
    env_bool,
    env_int,
    env_list,
    env_secret,
    env_str,
    env_url,
)
from shop.settings.logging import *  # noqa: F403
from shop.settings.pipeline import *  # noqa: F403
from shop.settings.schedule import *  # noqa: F403
from shop.settings.search import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = env_secret("SECRET_KEY")
DEBUG = env_bool("DEBUG", default=False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS")
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "shop",  # before the theme: some of its templates take the place of the theme's
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_celery_results",
    "django_elasticsearch_dsl",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "tree_queries",
    "shop.routing",
    "shop.outbox",
    "shop.mail",
    "apps.accounts",
    "apps.catalog",
    "apps.catalog.search",
    "apps.cart",
    "apps.orders",
    "tasks",
]

MIDDLEWARE = [
    "shop.request_id.RequestIdMiddleware",
    # Around everything that touches a database, so that all is committed when it looks.
    "shop.routing.middleware.RoutingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The shop
SHOP_NAME = env_str("SHOP_NAME", default="Plugproof")
SHOP_CURRENCY = env_str("SHOP_CURRENCY", default="EUR")
CART_MAX_ITEMS = env_int("CART_MAX_ITEMS", default=100, minimum=1)
CART_MAX_QUANTITY = env_int("CART_MAX_QUANTITY", default=999, minimum=1)
ADDRESS_MAX = env_int("ADDRESS_MAX", default=50, minimum=1)

# Where the index page sends those who want to watch the workers.
FLOWER_URL = env_str("FLOWER_URL", default="/flower/")

# Data stores; PostgreSQL is in shop/settings/databases.py
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": env_url("REDIS_URL", schemes={"redis", "rediss"}),
        "OPTIONS": {
            # Seconds. A cache that is slow must not make the shop slow.
            "SOCKET_CONNECT_TIMEOUT": 0.2,
            "SOCKET_TIMEOUT": 0.2,
        },
    }
}
# Sessions (the admin) in PostgreSQL: a flushed cache logs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# People
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
COOKIE_SECURE = env_bool("COOKIE_SECURE", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = COOKIE_SECURE
GUEST_COOKIE_AGE = timedelta(days=30)

# HTTP; more of it in shop/settings/api.py
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,  # a new password ends the tokens from before
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env_secret("JWT_SIGNING_KEY", default=SECRET_KEY),
    "ISSUER": "plugproof",
    "AUDIENCE": "plugproof-api",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SHOP_NAME} API",
    "DESCRIPTION": "Catalogue, cart, checkout and orders. Errors are RFC 9457 problem details."
    " An answer to a call that wrote may have the header `X-Read-Token`: a client that keeps no"
    " cookies sends it back for a minute, and reads nothing older than what it wrote.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/(catalog|orders|accounts)",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "shop.schema.add_common_problems",
    ],
}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
SECURE_REFERRER_POLICY = "same-origin"

# Mail
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", default=f"{SHOP_NAME} <shop@localhost>")
EMAIL_FILE_PATH = env_str("EMAIL_FILE_PATH", default="") or None
EMAIL_BACKEND = (
    "django.core.mail.backends.filebased.EmailBackend"
    if EMAIL_FILE_PATH
    else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST = env_str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env_int("EMAIL_PORT", default=25, minimum=1)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env_secret("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10  # seconds

# Time is UTC and aware, always.
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
