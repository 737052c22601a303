"""manage.py seed_demo: an invented catalogue with stock, a shopper and an admin."""

import os
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.accounts.demo import make_people
from apps.catalog.demo.filling import fill_shelves
from apps.catalog.search.vocabulary import refresh_vocabulary


class Command(BaseCommand):
    help = (
        "Fills the shop with invented goods, and makes ada@example.com and "
        "admin@example.com with the passwords in DEMO_SHOPPER_PASSWORD and "
        "DEMO_ADMIN_PASSWORD. A second run changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        make_people(
            admin_password=os.environ.get("DEMO_ADMIN_PASSWORD"),
            shopper_password=os.environ.get("DEMO_SHOPPER_PASSWORD"),
        )
        made = fill_shelves(now=timezone.now())
        refresh_vocabulary()  # else a typo would find nothing before beat has counted
        if options["verbosity"]:
            self.stdout.write(f"{made} variants made")
