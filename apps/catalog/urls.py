"""Under /api/catalog/."""

from django.urls import include, path

from apps.catalog.views import BrandsView, CategoriesView, ProductsView, ProductView

urlpatterns = [
    path("products/", ProductsView.as_view(), name="products"),
    path("products/<slug:key>/", ProductView.as_view(), name="product"),
    path("categories/", CategoriesView.as_view(), name="categories"),
    path("brands/", BrandsView.as_view(), name="brands"),
    path("search/", include("apps.catalog.search.urls")),
]
