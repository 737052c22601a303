"""Log lines: one format on standard error, for whoever runs the process to collect."""

from typing import Any

from shop.settings.env import env_choice

LOG_FORMAT = env_choice("LOG_FORMAT", ("json", "lines"), default="json")
LOGGING_CONFIG = "shop.log_lines.configure"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "shop.log_lines.formatter", "form": LOG_FORMAT}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers print to a console in DEBUG only, and else mail nobody.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # What was refused says the line of the request; this logger adds tracebacks of bugs.
        "django.request": {"level": "ERROR"},
        # runserver would say each request again, with its query.
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        **{name: {"level": "INFO"} for name in ("shop", "apps", "tasks", "celery", "flower")},
        # That a task came and how it ended says the line of the task.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
