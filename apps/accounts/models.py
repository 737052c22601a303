"""Who buys: users who log in, customers (a user's or a guest's) and their addresses."""

import hashlib
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower

from apps.accounts.countries import country_name
from shop.errors import ShopError


class LowerCaseEmailField(models.EmailField):  # type: ignore[type-arg]  # not at run time
    """An e-mail address stored, compared and searched in lower case."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.lower() if isinstance(text, str) else text

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(self.to_python(value))


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user with a hashed password; None makes an account that cannot log in."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=username)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who logs in, by e-mail address in any mixture of cases."""

    email = LowerCaseEmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField("may use the admin", default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)


class CustomerQuerySet(models.QuerySet["Customer"]):
    def of_user(self, user: User) -> "Customer":
        """The user's customer, made at first need; safe when two requests come at once."""
        return self.get_or_create(user=user)[0]

    def of_guest(self, token: str) -> "Customer | None":
        return self.filter(token_hash=_hash(token)).first()

    def new_guest(self) -> tuple["Customer", str]:
        """A new guest and the token for the cookie; only the token's hash is stored."""
        token = secrets.token_urlsafe(32)
        return self.create(token_hash=_hash(token)), token


class AddressLimit(ShopError):
    """More addresses than a customer may have."""

    code = "address_limit"
    http_status = 400


class Customer(models.Model):
    """Who buys: a user's customer, or a guest known by a cookie."""

    user = models.OneToOneField(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="customer"
    )
    token_hash = models.CharField(max_length=64, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="one_customer_per_guest_token"),
        ]

    def __str__(self) -> str:
        return str(self.user) if self.user_id else f"guest {self.pk}"

    def lock(self) -> None:
        """Let nobody else change this customer's addresses until the transaction ends."""
        # Not against foreign keys: an order placed meanwhile does not wait.
        Customer.objects.select_for_update(no_key=True).get(pk=self.pk)

    @transaction.atomic
    def take_addresses(self, guest: "Customer") -> None:
        """Move a guest's addresses here: the newest, as many as fit."""
        self.lock()
        free = max(0, settings.ADDRESS_MAX - self.addresses.count())
        newest = guest.addresses.order_by("-pk")[:free]
        guest.addresses.filter(pk__in=newest).update(customer=self, is_default=False)

    @transaction.atomic
    def keep(self, address: "Address") -> "Address":
        """The address, saved; as a default it takes the place of the one before.

        Raises AddressLimit for one more than a customer may have.
        """
        self.lock()
        if address._state.adding and self.addresses.count() >= settings.ADDRESS_MAX:
            raise AddressLimit(f"At most {settings.ADDRESS_MAX} addresses.")
        if address.is_default:
            others = self.addresses.filter(address_type=address.address_type, is_default=True)
            others.exclude(pk=address.pk).update(is_default=False)
        address.save()
        return address


def _hash(token: str) -> str:
    # Fast on purpose: the token has 256 random bits, so it cannot be guessed from the hash.
    return hashlib.sha256(token.encode()).hexdigest()


class Address(models.Model):
    """Where a customer wants parcels or bills to go."""

    class Type(models.TextChoices):
        SHIPPING = "shipping", "shipping"
        BILLING = "billing", "billing"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    address_type = models.CharField(max_length=8, choices=Type, default=Type.SHIPPING)
    full_name = models.CharField(max_length=150)
    phone = models.CharField(max_length=32, blank=True)
    address_line1 = models.CharField(max_length=200)
    address_line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100)
    state = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(address_type__in=["shipping", "billing"]),
                name="address_type_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="country_is_an_iso_code"
            ),
            models.UniqueConstraint(
                fields=["customer", "address_type"],
                condition=models.Q(is_default=True),
                name="one_default_address_per_type",
            ),
        ]
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return f"{self.full_name}, {self.city}"

    def as_printed(self) -> dict[str, str]:
        """What an order keeps of the address, so that later edits do not rewrite history."""
        names = ("full_name", "phone", "address_line1", "address_line2", "city", "state")
        return {
            **{name: getattr(self, name) for name in names},
            "postal_code": self.postal_code,
            "country": self.country,
            "country_name": country_name(self.country),
        }
