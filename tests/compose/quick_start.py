"""The README's quick start, from outside: through port 80, and by its commands."""

import time
from typing import Any

import requests

from deploy.demo.guest import EMAIL
from tests.compose.engine import Failed
from tests.compose.project import Project
from tests.compose.shoppers import ADDRESS, buy

PASSWORD = "correct-horse-battery"
_MAILPIT = "http://127.0.0.1:8025"


def expect(answer: requests.Response, *, holds: str = "") -> requests.Response:
    """Fail unless it is a success that holds this text."""
    if not answer.ok or holds not in answer.text:
        raise Failed(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
    return answer


def get(path: str, *, holds: str = "", **more: Any) -> requests.Response:
    return expect(requests.get(f"{ADDRESS}{path}", timeout=30, **more), holds=holds)


def commands(project: Project) -> None:
    """Those of the README, as they are written there."""
    super_user = ["createsuperuser", "--noinput", "--email", "sue@example.com"]
    project.compose(
        *["exec", "-T", "--env", f"DJANGO_SUPERUSER_PASSWORD={PASSWORD}", "backend"],
        *["python", "manage.py", *super_user],
    )
    project.manage("seed_demo")
    project.wait_until_well("elasticsearch")
    project.manage("init_search")
    project.manage("collectstatic", "--noinput")
    if "No migrations to apply" not in project.manage("migrate"):
        raise Failed("manage.py migrate in the backend found something to do")
    if "PlaceOrder" not in project.manage("shell", "-c", "print('PlaceOrder')"):
        raise Failed("manage.py shell does not print")
    if project.sql("SELECT current_user, current_database()") != "ecommerce_user|ecommerce":
        raise Failed("psql -U ecommerce_user -d ecommerce is somebody or somewhere else")


def pages(project: Project) -> None:
    """The admin, its style sheet and login, the API's pages, catalogue, Flower."""
    login = get("/admin/login/", holds="csrfmiddlewaretoken")
    style = (
        login.text.partition('rel="stylesheet"')[0].rpartition('href="')[2].partition('"')[0]
    )
    if "immutable" not in get(style).headers["Cache-Control"]:
        raise Failed(f"{style} is not kept by browsers")
    log_in(requests.Session())
    get("/api/docs/")
    get("/api/catalog/products/1/", holds="Larch Stoneware Mug")
    get("/api/catalog/search/", params={"q": "mug"}, holds="Larch Stoneware Mug")
    get("/health/ready", holds='"search": {"status": "ok"}')
    password = project.setting("FLOWER_PASSWORD")
    get("/flower/", auth=("admin", password), holds="worker-order@")
    if requests.get(f"{ADDRESS}/flower/", timeout=30).status_code != 401:
        raise Failed("Flower lets in who has no password")


def log_in(session: requests.Session) -> None:
    """As the superuser, into the admin."""
    page = f"{ADDRESS}/admin/login/"
    expect(session.get(page, timeout=30))
    form = {
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
        "username": "sue@example.com",
        "password": PASSWORD,
        "next": "/admin/",
    }
    expect(
        session.post(page, data=form, headers={"Referer": page}, timeout=30), holds="Log out"
    )


def first_order(project: Project) -> str:
    """A guest's: placed, confirmed, mailed. Returns its number."""
    number = buy()
    wait_for(lambda: number not in pending(project), what=f"{number} confirmed")
    wait_for(lambda: mails_about(number) == 1, what=f"a mail about {number}")
    return number


def pending(project: Project) -> list[str]:
    """The numbers of the orders that are not confirmed yet."""
    return project.sql("SELECT number FROM orders_order WHERE status = 'pending'").split()


def mails_about(number: str) -> int:
    """How many mails Mailpit has to the guest that name the order."""
    query = {"query": f'to:{EMAIL} "{number}"'}
    found = requests.get(f"{_MAILPIT}/api/v1/search", params=query, timeout=30)
    return int(expect(found).json()["messages_count"])


def wait_for(is_so: Any, *, what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise Failed(f"not after {seconds:.0f} s: {what}")
        time.sleep(0.5)
