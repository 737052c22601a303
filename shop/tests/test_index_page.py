"""The page at `/`."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client, override_settings


def test_needs_no_database_and_no_login(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies


@override_settings(SHOP_NAME="Tom & Daughters")
def test_bears_the_name_of_the_shop(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "<h1>Tom &amp; Daughters</h1>" in page


@override_settings(FLOWER_URL="http://127.0.0.1:5555/flower/")
def test_names_every_door(client: Client) -> None:
    assert re.findall(r'<a href="([^"]+)"', client.get("/").content.decode()) == [
        "/api/docs/",
        "/admin/",
        "http://127.0.0.1:5555/flower/",
        "/health/ready",
        "/api/schema/",
    ]


def test_loads_only_files_of_our_own(client: Client) -> None:
    page = client.get("/").content.decode()
    loaded = re.findall(r'(?:src|rel="(?:icon|stylesheet)" href)="([^"]+)"', page)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("/static/")
        assert finders.find(address.removeprefix("/static/")), address


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_refuses_to_be_written_to(client: Client, method: str) -> None:
    assert getattr(client, method)("/").status_code == 405
