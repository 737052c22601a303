from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "shop.outbox"
    verbose_name = "Outbox"
