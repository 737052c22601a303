"""Attributes: read by shoppers, written by people one a line."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.attributes import BadAttributes, as_text, from_text
from apps.catalog.models import Product
from apps.catalog.plain_text import one_line
from apps.catalog.tests.test_admin_products import form_of
from tests.builders import make_staff, make_variant
from tests.clients import guest

ATTRIBUTES = {"Colour": ["Red", "Blue"], "Voltage": ["100 V, 2 A: at most"]}
TEXT = "Colour: Red\nColour: Blue\nVoltage: 100 V, 2 A: at most"
WORDS = st.text(max_size=20).map(one_line).filter(bool)


def test_are_written_one_a_line() -> None:
    assert as_text(ATTRIBUTES) == TEXT
    assert from_text(TEXT) == ATTRIBUTES


def test_take_blanks_empty_lines_and_repeats_as_they_are_meant() -> None:
    assert from_text(" Colour :  Red \r\n\r\nColour:Red\r\nSize: M") == {
        "Colour": ["Red"],
        "Size": ["M"],
    }


@given(
    st.dictionaries(
        WORDS.filter(lambda name: ":" not in name),
        st.lists(WORDS, min_size=1, max_size=4, unique=True),
        max_size=4,
    )
)
def test_come_back_as_they_were_written(attributes: dict[str, list[str]]) -> None:
    assert from_text(as_text(attributes)) == attributes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Colour: Red\nBlue", "Line 2 is not “Name: value”: “Blue”."),
        ("Colour:", "Line 1 is not “Name: value”: “Colour:”."),
        (": Red", "Line 1 is not “Name: value”: “: Red”."),
        ("x" * 101 + ": y", "is longer than 100 characters."),
        ("x: " + "y" * 201, "is longer than 200 characters."),
        ("\n".join(f"{n}: y" for n in range(301)), "301 attributes are more than 300."),
        ("\n".join(f"x: {n}" for n in range(301)), "“x” has 301 values, more than 300."),
    ],
)
def test_say_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(BadAttributes) as bad:
        from_text(text)
    assert problem in str(bad.value)


@pytest.mark.django_db
class TestShop:
    def test_shows_them_on_the_page_of_a_product(self) -> None:
        mug = make_variant("MUG").product
        url = f"/api/catalog/products/{mug.slug}/"
        assert guest().get(url).json()["attributes"] == {}
        Product.objects.update(attributes=ATTRIBUTES)
        assert guest().get(url).json()["attributes"] == ATTRIBUTES


@pytest.mark.django_db
class TestAdmin:
    @pytest.fixture(autouse=True)
    def _sue(self, client: Client) -> None:
        client.force_login(make_staff())
        self.mug = make_variant("MUG")
        Product.objects.update(attributes=ATTRIBUTES)
        self.url = reverse("admin:catalog_product_change", args=[self.mug.product_id])

    def test_shows_them_as_lines(self, client: Client) -> None:
        assert TEXT in client.get(self.url).content.decode()

    def test_takes_them_as_lines(self, client: Client) -> None:
        form = form_of(self.mug.product, [self.mug], attributes="Colour: Green\nSize: M")
        assert client.post(self.url, form).status_code == 302
        assert Product.objects.get().attributes == {"Colour": ["Green"], "Size": ["M"]}

    def test_says_on_the_form_what_is_wrong_and_keeps_what_was_there(
        self, client: Client
    ) -> None:
        form = form_of(self.mug.product, [self.mug], attributes="Colour: Green\n5 kg")
        page = client.post(self.url, form).content.decode()
        assert "Line 2 is not “Name: value”: “5 kg”." in page
        assert "Colour: Green\n5 kg" in page  # what was typed is not lost
        assert Product.objects.get().attributes == ATTRIBUTES

    def test_logs_no_change_where_there_is_none(self, client: Client) -> None:
        client.post(self.url, form_of(self.mug.product, [self.mug], attributes=TEXT))
        assert "attributes" not in LogEntry.objects.get().get_change_message().lower()
