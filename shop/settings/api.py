"""What the API takes and answers, and how often."""

from shop.settings.env import env_int

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes: no request of this API is larger
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication"
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "shop.parsers.JSONNegotiation",
    "DEFAULT_PARSER_CLASSES": ["shop.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "shop.errors.problem_details",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": env_int("NUM_PROXIES", default=0),
}
# Calls a minute from one address or, for login_email, with one: see the throttles.
THROTTLE_RATES = {
    "login": 10,
    "login_email": 5,
    "register": 10,
    "guest": 60,
    "checkout": 30,
    "search": 300,
    "suggest": 600,  # one a letter
}
