"""Under /api/catalog/search/."""

from django.urls import path

from apps.catalog.search.views import SearchView, SuggestView

urlpatterns = [
    path("", SearchView.as_view(), name="search"),
    path("suggest/", SuggestView.as_view(), name="suggest"),
]
