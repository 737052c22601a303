"""Log lines: one format on standard error, for whoever runs the process to collect."""

FORMAT = "{asctime} {levelname} {name} [{request_id}]: {message}"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "shop.request_id.RequestIdFilter"}},
    "formatters": {
        "line": {"format": FORMAT, "style": "{"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers print to a console in DEBUG only, and else mail nobody.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        **{name: {"level": "INFO"} for name in ("shop", "apps", "tasks")},
    },
}
