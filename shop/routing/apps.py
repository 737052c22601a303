from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "shop.routing"

    def ready(self) -> None:
        from shop.routing import checks, guard  # noqa: F401 a check registers itself

        guard.install()
