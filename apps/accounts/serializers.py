"""Accounts and addresses as JSON."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as NotAcceptable
from django.db import IntegrityError, transaction
from rest_framework import serializers
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import (
    TokenBlacklistSerializer,
    TokenRefreshSerializer,
)
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from apps.accounts.countries import country_code
from apps.accounts.models import Address, Customer, User


class RegisterSerializer(serializers.ModelSerializer[User]):
    # Whether an address is taken is asked of the database, by `create`.
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=256, style={"input_type": "password"}
    )

    class Meta:
        model = User
        fields = ["id", "email", "password", "full_name"]
        read_only_fields = ["id"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = User(email=attrs["email"], full_name=attrs.get("full_name", ""))
        try:
            validate_password(attrs["password"], user)
        except NotAcceptable as error:
            raise serializers.ValidationError({"password": error.messages}) from None
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        try:
            with transaction.atomic():
                return User.objects.create_user(**validated_data)
        except IntegrityError:
            refusal = {"email": ["This e-mail address cannot be used."]}
            raise serializers.ValidationError(refusal) from None


class MeSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email", "full_name", "joined_at"]
        read_only_fields = ["id", "email", "joined_at"]


class RefreshTokenSerializer(TokenRefreshSerializer):
    """A refresh token is good for one refresh, whoever else is using it at the same time."""

    @transaction.atomic
    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        _lock(self.token_class(attrs["refresh"]))
        try:
            # Reads the blacklist again, now that nobody else can be writing to it.
            return super().validate(attrs)
        except User.DoesNotExist:
            raise TokenError("Token is invalid") from None


class RevokeTokenSerializer(TokenBlacklistSerializer):
    """Revokes the token or, if it is being refreshed meanwhile, refuses it as already used."""

    @transaction.atomic
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _lock(self.token_class(attrs["refresh"]))
        validated: dict[str, Any] = super().validate(attrs)
        return validated


def _lock(token: RefreshToken) -> None:
    """Make everybody else with this token wait until the transaction ends."""
    issued = OutstandingToken.objects.select_for_update().filter(jti=token["jti"])
    if issued.first() is None:
        raise TokenError("Token is invalid")


class AddressSerializer(serializers.ModelSerializer[Address]):
    country = serializers.CharField(
        max_length=100, help_text="ISO 3166-1 code; a common name is accepted, too."
    )

    class Meta:
        model = Address
        fields = [
            "id",
            "address_type",
            "full_name",
            "phone",
            "address_line1",
            "address_line2",
            "city",
            "state",
            "postal_code",
            "country",
            "is_default",
        ]
        # The default address of a type is exchanged, not checked for: Customer.keep.
        validators: list[Any] = []

    def validate_country(self, text: str) -> str:
        try:
            return country_code(text)
        except LookupError:
            raise serializers.ValidationError("No country of this name or code.") from None

    def create(self, validated_data: dict[str, Any]) -> Address:
        customer: Customer = validated_data["customer"]
        return customer.keep(Address(**validated_data))

    def update(self, instance: Address, validated_data: dict[str, Any]) -> Address:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return instance.customer.keep(instance)
