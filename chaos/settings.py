"""The shop's own settings and the crash points beside it: for the fault suite only."""

from shop.settings.dev import *  # noqa: F403
from shop.settings.dev import CELERY_IMPORTS as _IMPORTS
from shop.settings.dev import INSTALLED_APPS as _APPS
from shop.settings.dev import MIDDLEWARE as _MIDDLEWARE
from shop.settings.dev import THROTTLE_RATES as _RATES

INSTALLED_APPS = [*_APPS, "chaos.faults"]
MIDDLEWARE = ["chaos.faults.points.CheckoutScope", *_MIDDLEWARE]
# A thousand orders a minute come from one address here.
THROTTLE_RATES = dict.fromkeys(_RATES, 1_000_000)
# A task that kills its process.
CELERY_IMPORTS = (*_IMPORTS, "chaos.faults.poison")  # type: ignore[assignment]
