from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "apps.catalog.search"
    label = "search"
