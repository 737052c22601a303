"""A rule is tried on a query before it is saved, and nobody else notices."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Product
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from apps.catalog.search.trying import Comparison, compare
from apps.catalog.search.vocabulary import refresh_vocabulary
from tests.builders import make_staff, make_user, make_variant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop() -> None:
    for sku, name in (("A", "Oak sofa"), ("B", "Pine sofa"), ("C", "Red couch")):
        product = make_variant(sku).product
        Product.objects.filter(pk=product.pk).update(name=name)


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def attempt(client: Client, model: str, **fields: Any) -> str:
    answer = client.post(reverse(f"admin:search_{model}_try"), {"is_active": "on", **fields})
    assert answer.status_code == 200
    return answer.content.decode()


def names(comparison: Comparison) -> tuple[set[str], set[str]]:
    before, after = comparison.before, comparison.after
    return {place.product.name for place in before}, {place.product.name for place in after}


class TestComparison:
    def test_shows_what_a_new_synonym_adds(self) -> None:
        rule = Synonym(terms="sofa, couch")
        comparison = compare(rule, q="sofa")
        sofas = {"Oak sofa", "Pine sofa"}
        assert names(comparison) == (sofas, sofas | {"Red couch"})
        (added,) = [place for place in comparison.after if place.was is None]
        assert (added.product.name, added.move) == ("Red couch", "new here")
        assert comparison.is_different

    def test_shows_what_a_changed_synonym_takes_away(self) -> None:
        rule = Synonym.objects.create(terms="sofa, couch")
        rule.is_active = False
        before, after = names(compare(rule, q="sofa"))
        assert before - after == {"Red couch"}

    def test_shows_what_a_boost_moves(self) -> None:
        last = compare(Boost(), q="sofa").before[-1]
        comparison = compare(Boost(product=last.product, factor=10), q="sofa")
        assert comparison.after[0].product == last.product
        assert [place.move for place in comparison.after] == ["up from 2", "down from 1"]

    def test_shows_what_an_empty_search_takes_away(self) -> None:
        comparison = compare(EmptySearch(query="sofas"), q="sofa")
        assert names(comparison) == ({"Oak sofa", "Pine sofa"}, set())
        assert not compare(EmptySearch(query="sofa"), q="oak sofa").is_different
        assert not compare(EmptySearch(query="sofa", is_active=False), q="sofa").is_different

    def test_says_when_nothing_changes(self) -> None:
        assert not compare(Synonym(terms="lamp, light"), q="sofa").is_different


class TestPage:
    def test_shows_both_results_and_saves_nothing(self, sue: Client) -> None:
        page = attempt(sue, "synonym", terms="sofa, couch", **{"try": " sofa "})
        assert "“sofa”: 2 products before, 3 after." in page
        assert page.count("Red couch") == 1
        assert not Synonym.objects.exists()
        assert "2 products" in attempt(sue, "synonym", terms="lamp, light", **{"try": "sofa"})

    def test_shows_that_an_empty_search_finds_nothing(self, sue: Client) -> None:
        page = attempt(sue, "emptysearch", query="sofa", **{"try": "sofa"})
        assert "“sofa”: 2 products before, 0 after." in page
        assert page.count("drops out") == 2
        assert "Nothing is found." in page
        assert not EmptySearch.objects.exists()

    @pytest.mark.parametrize("query", ["sofas", "soffa"])
    def test_says_what_an_empty_search_hides_from_the_rule(
        self, sue: Client, query: str
    ) -> None:
        refresh_vocabulary()
        rule = EmptySearch.objects.create(query="sofa")
        hides = f"“{query}”: an empty search hides 2 products. The rule changes nothing."
        form = {"terms": "settee, couch", "try": query}
        assert hides in attempt(sue, "synonym", **form)
        assert hides in attempt(sue, "emptysearch", query="sofa", try_pk=rule.pk, **form)
        form["try"] = "oak sofa"
        assert "an empty search hides" not in attempt(sue, "synonym", **form)

    def test_tries_a_query_that_the_rule_is_about_if_none_is_typed(self, sue: Client) -> None:
        assert "“couch”: 1 product before, 3 after." in attempt(
            sue, "synonym", terms="couch, sofa", **{"try": " "}
        )
        assert "“sofa”: 2 products before, 0 after." in attempt(
            sue, "emptysearch", query="sofa"
        )
        sofa = Product.objects.get(name="Oak sofa")
        page = attempt(sue, "boost", product=sofa.pk, factor="2")
        assert "Write a query to try the rule on." in page

    def test_tries_the_change_of_a_kept_rule_and_leaves_it(self, sue: Client) -> None:
        rule = Synonym.objects.create(terms="sofa, couch")
        form = {"terms": "sofa, lamp", "try": "sofa", "try_pk": rule.pk}
        assert "“sofa”: 3 products before, 2 after." in attempt(sue, "synonym", **form)
        rule.refresh_from_db()
        assert rule.terms == "sofa, couch"

    def test_says_what_is_wrong_with_the_rule(self, sue: Client) -> None:
        page = attempt(sue, "synonym", terms="sofa", **{"try": "sofa"})
        assert "Write at least two words or phrases" in page
        page = attempt(sue, "boost", factor="2", **{"try": "sofa"})
        assert "Choose a product, a brand or a category: one of them." in page

    @pytest.mark.parametrize("query", ["", " ", "\x00", "'; --", "(((", "x" * 5000, "%_\\"])
    def test_takes_any_query(self, sue: Client, query: str) -> None:
        attempt(sue, "synonym", terms="sofa, couch", **{"try": query})

    @pytest.mark.parametrize("key", ["abc", "9" * 4500, "\x00", "-1", "7"])
    def test_takes_any_key_of_a_rule(self, sue: Client, key: str) -> None:
        attempt(sue, "synonym", terms="sofa, couch", **{"try": "sofa", "try_pk": key})

    def test_starts_with_a_query_that_the_rule_is_about(self, sue: Client) -> None:
        rule = Synonym.objects.create(terms="sofa, couch")
        page = sue.get(reverse("admin:search_synonym_change", args=[rule.pk]))
        assert 'name="try" value="sofa"' in page.content.decode()
        empty = EmptySearch.objects.create(query="lamp")
        page = sue.get(reverse("admin:search_emptysearch_change", args=[empty.pk]))
        assert 'name="try" value="lamp"' in page.content.decode()

    def test_is_for_those_who_may_write_the_rule(self, client: Client) -> None:
        eve = make_user("eve@example.com", is_staff=True)
        eve.user_permissions.set(Permission.objects.filter(codename="view_synonym"))
        client.force_login(eve)
        url = reverse("admin:search_synonym_try")
        assert client.post(url, {"terms": "a, b", "try": "a"}).status_code == 403
        assert client.get(url).status_code == 405
