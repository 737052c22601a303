from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "apps.catalog.search"
    label = "search"

    def ready(self) -> None:
        from apps.catalog.search import checks  # noqa: F401 a check registers itself
