"""The forms of the shopkeeper's rules, which say in words what would have no effect."""

from collections.abc import Iterable
from typing import Any

from django import forms

from apps.catalog.plain_text import one_line
from apps.catalog.search.boosts import key_of, says_something
from apps.catalog.search.empty import keys_of
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from apps.catalog.search.words import words_of
from shop.admin import ModelForm

MOST_TERMS = 20
LONGEST_TERM = 50


class SynonymForm(ModelForm[Synonym]):
    class Meta:
        model = Synonym
        fields = ("terms", "is_active")

    def clean_terms(self) -> str:
        terms = [term for term in map(one_line, self.cleaned_data["terms"].split(",")) if term]
        problems = list(_problems(terms))
        if problems:
            raise forms.ValidationError(problems)
        same = [
            rule
            for rule in Synonym.objects.exclude(pk=self.instance.pk)
            if terms_of(rule) == {term.lower() for term in terms}
        ]
        if same:
            raise forms.ValidationError(f"There is a rule with these words already: {same[0]}.")
        return ", ".join(terms)


def terms_of(rule: Synonym) -> set[str]:
    """The rule's words and phrases in lower case."""
    return {one_line(term).lower() for term in rule.terms.split(",")} - {""}


def _problems(terms: list[str]) -> Iterable[str]:
    if len(terms) < 2:
        yield "Write at least two words or phrases, with commas between them."
    if len(terms) > MOST_TERMS:
        yield f"These are more than {MOST_TERMS} words and phrases."
    there: dict[tuple[str, ...], str] = {}  # by what is searched for
    for term in terms:
        words = tuple(words_of(term))
        if len(term) > LONGEST_TERM:
            yield f"“{term[:20]}…” is longer than {LONGEST_TERM} characters."
        if not words:
            yield f"“{term}” has no word that is searched for."
        elif words in there:
            yield f"“{term}” is searched for like “{there[words]}”: one is enough."
        there.setdefault(words, term)


class BoostForm(ModelForm[Boost]):
    class Meta:
        model = Boost
        fields = ("query", "product", "brand", "category", "factor", "is_active")

    def clean_query(self) -> str:
        query = one_line(self.cleaned_data["query"])
        if not says_something(query):
            raise forms.ValidationError(
                f"“{query}” has no word that is searched for. Empty, it is every query."
            )
        return query

    def clean_factor(self) -> float:
        factor: float = self.cleaned_data["factor"]
        if factor == 1:
            raise forms.ValidationError("1 changes nothing: more moves up, less moves down.")
        return factor

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        target = {name: cleaned.get(name) for name in ("product", "brand", "category")}
        if "query" not in cleaned:
            return cleaned
        key = key_of(words_of(cleaned["query"]))
        others = Boost.objects.filter(**target).exclude(pk=self.instance.pk)
        if any(key_of(words_of(other.query)) == key for other in others):
            raise forms.ValidationError("There is a boost of this for the same query already.")
        return cleaned


class EmptySearchForm(ModelForm[EmptySearch]):
    class Meta:
        model = EmptySearch
        fields = ("query", "is_active")

    def clean_query(self) -> str:
        query = one_line(self.cleaned_data["query"])
        if not (words_of(query) and keys_of(query)):
            raise forms.ValidationError(f"“{query}” has no word that is searched for.")
        for other in EmptySearch.objects.exclude(pk=self.instance.pk):
            if keys_of(other.query) & keys_of(query):
                raise forms.ValidationError(f"There is a rule for this already: {other}.")
        return query
