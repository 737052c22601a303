"""People: who logs in, who buys, and where their parcels go."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold import forms as unfold_forms
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.countries import country_code, country_name
from apps.accounts.models import Address, Customer, User
from shop.admin import ModelAdmin, ReadOnlyAdmin, TabularInline, link

# Tokens are the login's own bookkeeping: nothing in them is for a person to read or change.
admin.site.unregister([BlacklistedToken, OutstandingToken, Group])


if TYPE_CHECKING:  # the stubs know only users with a username, and forms with parameters
    _UserAdmin = ModelAdmin[User]
    _GroupAdmin = ModelAdmin[Group]
    _AddressForm = forms.ModelForm[Address]
else:
    _AddressForm = forms.ModelForm

    class _UserAdmin(auth_admin.UserAdmin, ModelAdmin):
        pass

    class _GroupAdmin(auth_admin.GroupAdmin, ModelAdmin):
        pass


class UserCreationForm(unfold_forms.UserCreationForm):  # type: ignore[misc]  # no types
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(_UserAdmin):
    form = unfold_forms.UserChangeForm
    add_form = UserCreationForm
    change_password_form = unfold_forms.AdminPasswordChangeForm
    list_display = ("email", "full_name", "is_active", "is_staff", "last_login", "joined_at")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "full_name")
    search_help_text = "E-mail address or name"
    ordering = ("email",)
    readonly_fields = ("last_login", "joined_at")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        (
            "Permissions",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups")},
        ),
        ("Dates", {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "password1", "password2")}),)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Who may edit users may not thereby become, or lock out, other staff."""
        return _may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and super().has_delete_permission(request, obj)

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        names = tuple(super().get_readonly_fields(request, obj))
        if _is_superuser(request):
            return names
        return (*names, "is_staff", "is_superuser", "groups")


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """Shoppers and oneself; other staff, whose password is a way to their rights, never."""
    if user is None or user == request.user or _is_superuser(request):
        return True
    return not (user.is_staff or user.is_superuser)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


@admin.register(Group)
class GroupAdmin(_GroupAdmin):
    compressed_fields = False  # beside its label, the choice of permissions is too wide


class AddressInline(TabularInline[Address, Customer]):
    model = Address
    extra = 0
    can_delete = False
    show_change_link = True
    fields = ("address_type", "full_name", "address_line1", "postal_code", "city", "country")

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin[Customer]):
    list_display = ("name", "full_name", "created_at", "orders")
    list_filter = (("user", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    search_fields = ("user__email", "user__full_name", "addresses__full_name")
    search_help_text = "E-mail address or name"
    fields = ("name", "user", "created_at", "orders")
    inlines = (AddressInline,)

    @admin.display(description="customer", ordering="user__email")
    def name(self, customer: Customer) -> str:
        return str(customer)

    @admin.display(ordering="user__full_name")
    def full_name(self, customer: Customer) -> str:
        return customer.user.full_name if customer.user else ""

    @admin.display(description="orders")
    def orders(self, customer: Customer) -> str:
        url = reverse("admin:orders_order_changelist")
        return link(f"{url}?customer={customer.pk}", "Show orders")


class AddressForm(_AddressForm):
    country = forms.CharField(
        max_length=60, widget=UnfoldAdminTextInputWidget, help_text="Its code or its name."
    )

    def clean_country(self) -> str:
        """The code of the country, which may be typed as people call it."""
        try:
            return country_code(self.cleaned_data["country"])
        except LookupError:
            raise forms.ValidationError("No country is called this.") from None


@admin.register(Address)
class AddressAdmin(ModelAdmin[Address]):
    form = AddressForm
    list_display = ("full_name", "customer", "address_type", "place", "is_default")
    list_filter = ("address_type", "is_default")
    list_select_related = ("customer__user",)
    search_fields = ("full_name", "customer__user__email", "city", "postal_code")
    search_help_text = "Name, e-mail address, city or postal code"
    ordering = ("-pk",)
    readonly_fields = ("customer", "address_type", "is_default")

    @admin.display(ordering="city")
    def place(self, address: Address) -> str:
        return f"{address.postal_code} {address.city}, {country_name(address.country)}"

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False
