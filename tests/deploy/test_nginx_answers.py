"""What nginx adds to the shop's answers, and what it answers itself."""

from tests.deploy.front import Front


def test_the_shop_is_there(front: Front) -> None:
    assert front.get("/").status_code == 200
