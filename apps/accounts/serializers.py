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
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import Token, UntypedToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from apps.accounts.countries import country_code
from apps.accounts.models import Address, Customer, User
from shop.fields import EmailField


class RegisterSerializer(serializers.ModelSerializer[User]):
    # Whether an address is taken is asked of the database, by `create`.
    email = EmailField()
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
    """A refresh token is good for one refresh, whoever else is using it at the same time.

    When one comes again, one of the two who used it has stolen it: nobody can know which, so
    that all of the user's refresh tokens end.
    """

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        token = UntypedToken(attrs["refresh"])
        with transaction.atomic():
            user = _lock_user(token)
            if not BlacklistedToken.objects.filter(token__jti=token["jti"]).exists():
                _check_password(user, token)
                return super().validate(attrs)
            _revoke_all(user)
        # Not before the commit: the refusal must not take the revocation back.
        raise TokenError("Token is blacklisted")


class RevokeTokenSerializer(TokenBlacklistSerializer):
    """Revokes the token or, if it is being refreshed meanwhile, refuses it as already used."""

    @transaction.atomic
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _lock_user(self.token_class(attrs["refresh"]))
        validated: dict[str, Any] = super().validate(attrs)
        return validated


def _lock_user(token: Token) -> User:
    """Whose refresh token it is; nobody else may use one of his until the transaction ends."""
    users = User.objects.select_for_update(of=("self",), no_key=True)
    user = users.filter(outstandingtoken__jti=token["jti"]).first()
    if user is None:
        raise TokenError("Token is invalid")
    return user


def _check_password(user: User, token: Token) -> None:
    # The library asks this of access tokens only.
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        raise TokenError("Token is invalid")


def _revoke_all(user: User) -> None:
    alive = OutstandingToken.objects.filter(user=user, blacklistedtoken=None)
    BlacklistedToken.objects.bulk_create([BlacklistedToken(token=token) for token in alive])


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
