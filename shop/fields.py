"""Fields of the API's serializers that take no more than the shop can work with."""

import re
from typing import Any

from rest_framework import serializers

_LARGEST_ID = 2**63 - 1
_LONGEST_EMAIL = 254
_WHOLE_NUMBER = re.compile("-?[0-9]+")


class WholeNumberField(serializers.IntegerField):
    """A number or, as text, plain digits: not all that Python takes for a number."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not _WHOLE_NUMBER.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(WholeNumberField):
    """The id of a row: what PostgreSQL could not even compare is refused as a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=_LARGEST_ID, **kwargs)


class EmailField(serializers.EmailField):
    """An e-mail address that can be kept, also in lower case, and that mail can be sent to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=_LONGEST_EMAIL, **kwargs)
        self.validators.append(_check_email)


def _check_email(address: str) -> None:
    name, _, domain = address.rpartition("@")
    if not (name.isascii() and name.isprintable() and _is_encodable(domain)):
        raise serializers.ValidationError("No mail can be sent to this address.")
    # There are letters that become two in lower case.
    if len(address.lower()) > _LONGEST_EMAIL:
        raise serializers.ValidationError("This address is too long.")


def _is_encodable(domain: str) -> bool:
    """Whether there is an ASCII form of the domain, which is what mail servers speak."""
    try:
        domain.encode("idna")
    except UnicodeError:
        return False
    return True
