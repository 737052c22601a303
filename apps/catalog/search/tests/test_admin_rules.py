"""The shopkeeper's rules in the admin: what would have no effect is refused in words."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Brand, Product
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from tests.builders import make_staff, make_variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def add(client: Client, model: str, **fields: Any) -> str:
    """Fill in the form and save it; what the next page says."""
    url = reverse(f"admin:search_{model}_add")
    answer = client.post(url, {"is_active": "on", **fields}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


class TestSynonyms:
    def test_are_kept_tidily(self, sue: Client) -> None:
        add(sue, "synonym", terms=" Sofa ,couch,,  three  seater ")
        assert Synonym.objects.get().terms == "Sofa, couch, three seater"

    @pytest.mark.parametrize(
        ("terms", "problem"),
        [
            ("sofa", "Write at least two words or phrases, with commas between them."),
            ("sofa, ,", "Write at least two words or phrases, with commas between them."),
            ("sofa, couch, Sofa", "“Sofa” is searched for like “sofa”: one is enough."),
            (
                "sofa, the sofa",
                "“the sofa” is searched for like “sofa”: one is enough.",
            ),
            ("sofa, !!", "“!!” has no word that is searched for."),
            ("the, of", "“of” has no word that is searched for."),
            ("cheap, sofa", "“cheap” has no word that is searched for."),
            ("sofa, " + "x" * 51, "is longer than 50 characters."),
            (", ".join(map(str, range(21))), "These are more than 20 words and phrases."),
            ("Couch, SOFA", "There is a rule with these words already: sofa, couch."),
        ],
    )
    def test_that_would_have_no_effect_are_refused(
        self, sue: Client, terms: str, problem: str
    ) -> None:
        Synonym.objects.create(terms="sofa, couch")
        assert problem in add(sue, "synonym", terms=terms)
        assert Synonym.objects.count() == 1

    def test_that_share_a_word_are_pointed_out(self, sue: Client) -> None:
        Synonym.objects.create(terms="sofa, couch")
        Synonym.objects.create(terms="couch, bed", is_active=False)
        page = add(sue, "synonym", terms="Couch, settee")
        assert "Another rule has couch, too: sofa, couch." in page
        assert "bed" not in page.split("<table")[0]

    def test_may_be_saved_again_as_they_are(self, sue: Client) -> None:
        rule = Synonym.objects.create(terms="sofa, couch")
        url = reverse("admin:search_synonym_change", args=[rule.pk])
        assert sue.post(url, {"terms": "sofa, couch"}).status_code == 302
        rule.refresh_from_db()
        assert not rule.is_active


class TestBoosts:
    @pytest.fixture(autouse=True)
    def _shop(self) -> None:
        self.mug: Product = make_variant("MUG").product
        self.brand = Brand.objects.create(name="Hardwick", slug="hardwick")

    def test_move_one_thing(self, sue: Client) -> None:
        add(sue, "boost", query=" red  MUG ", product=self.mug.pk, factor="2.5")
        boost = Boost.objects.get()
        assert (boost.query, boost.product, boost.factor) == ("red MUG", self.mug, 2.5)

    def test_that_move_nothing_or_two_things_are_refused(self, sue: Client) -> None:
        problem = "Choose a product, a brand or a category: one of them."
        assert problem in add(sue, "boost", factor="2")
        two = {"product": self.mug.pk, "brand": self.brand.pk}
        assert problem in add(sue, "boost", factor="2", **two)
        assert not Boost.objects.exists()

    @pytest.mark.parametrize(
        ("factor", "problem"),
        [
            ("1", "1 changes nothing: more moves up, less moves down."),
            ("11", "Ensure this value is less than or equal to 10."),
            ("0", "Ensure this value is greater than or equal to 0.1."),
            ("nan", "Enter a number."),
        ],
    )
    def test_by_nothing_or_too_much_are_refused(
        self, sue: Client, factor: str, problem: str
    ) -> None:
        assert problem in add(sue, "boost", product=self.mug.pk, factor=factor)

    @pytest.mark.parametrize("query", ["🫖", "!!", "the", "to be or not"])
    def test_of_a_query_without_a_word_are_refused(self, sue: Client, query: str) -> None:
        page = add(sue, "boost", query=query, product=self.mug.pk, factor="2")
        assert f"“{query}” has no word that is searched for." in page
        add(sue, "boost", query=" ", product=self.mug.pk, factor="2")
        assert Boost.objects.get().query == ""

    @pytest.mark.parametrize("query", ["Mug RED", "the red mugs"])
    def test_that_are_there_already_are_refused(self, sue: Client, query: str) -> None:
        Boost.objects.create(query="red mug", product=self.mug)
        again = {"query": query, "product": self.mug.pk, "factor": "3"}
        assert "There is a boost of this for the same query already." in add(
            sue, "boost", **again
        )
        add(sue, "boost", **{**again, "query": "mug"})
        assert Boost.objects.count() == 2

    def test_are_listed_with_what_they_do(self, sue: Client) -> None:
        Boost.objects.create(product=self.mug)
        Boost.objects.create(brand=self.brand, query="cup", factor=0.5)
        page = sue.get(reverse("admin:search_boost_changelist")).content.decode()
        for text in (
            "Mug (product)",
            "every query",
            "up × 2",
            "Hardwick (brand)",
            "down × 0.5",
        ):
            assert text in page


class TestEmptySearches:
    def test_are_kept_tidily_and_listed(self, sue: Client) -> None:
        assert "Tablet pro" in add(sue, "emptysearch", query=" Tablet   pro ")
        assert EmptySearch.objects.get().query == "Tablet pro"

    @pytest.mark.parametrize("query", ["🫖", "!!", "the", "to be or not", "cheap", "best-buy"])
    def test_without_a_word_are_refused(self, sue: Client, query: str) -> None:
        page = add(sue, "emptysearch", query=query)
        assert f"“{query}” has no word that is searched for." in page
        assert not EmptySearch.objects.exists()

    @pytest.mark.parametrize("query", ["", "  ", "x" * 201])
    def test_that_are_blank_or_too_long_are_refused(self, sue: Client, query: str) -> None:
        add(sue, "emptysearch", query=query)
        assert not EmptySearch.objects.exists()

    def test_that_are_there_already_are_refused(self, sue: Client) -> None:
        EmptySearch.objects.create(query="tablet pro", is_active=False)
        page = add(sue, "emptysearch", query="Pro tablets")
        assert "There is a rule for this already: tablet pro." in page
        add(sue, "emptysearch", query="tablet")
        assert EmptySearch.objects.count() == 2

    def test_may_be_saved_again_as_they_are(self, sue: Client) -> None:
        rule = EmptySearch.objects.create(query="tablet pro")
        url = reverse("admin:search_emptysearch_change", args=[rule.pk])
        assert sue.post(url, {"query": "tablet pro"}).status_code == 302
        rule.refresh_from_db()
        assert not rule.is_active
