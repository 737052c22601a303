"""The demo's people: a shopper with an address, and somebody for the admin."""

from typing import Any

from apps.accounts.models import Address, Customer, User

ADMIN, SHOPPER = "admin@example.com", "ada@example.com"


def make_people(*, admin_password: str | None, shopper_password: str | None) -> None:
    """Make who is missing. A password is set where one is given and another one is valid;
    an account that never got one cannot log in."""
    _user(ADMIN, admin_password, is_staff=True, is_superuser=True)
    ada = _user(SHOPPER, shopper_password, full_name="Ada Lovelace")
    customer = Customer.objects.of_user(ada)
    if not customer.addresses.exists():
        Address.objects.create(
            customer=customer,
            full_name="Ada Lovelace",
            phone="+44 20 7946 0000",
            address_line1="12 St James's Square",
            city="London",
            postal_code="SW1Y 4JH",
            country="GB",
            is_default=True,
        )


def _user(email: str, password: str | None, **fields: Any) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        return User.objects.create_user(email, password, **fields)
    if password is not None and not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user
