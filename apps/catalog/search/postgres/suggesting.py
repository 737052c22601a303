"""What may be meant by the first letters of a search."""

from apps.catalog.search.postgres.database import ENGINE, rows
from apps.catalog.search.postgres.matching import ON_SALE_TEXTS
from apps.catalog.search.wanted import Suggestions
from apps.catalog.search.words import MOST_LETTERS, SAY_NOTHING, words_typed

# Words that begin like it and are looked for, the most frequent ones; after another word it is
# counted of each how many products have both.
_LOOKED_AT, _COUNTED = 200, 50

# As the index has them: smør as smor.
_PLAIN = "SELECT search_words(%(typed)s)"
# Of one word it was counted how many products have it; whether that is still so is asked of
# those that are shown.
_ONE_WORD = f"""
    SELECT word FROM (
        SELECT word, products FROM search_word
        WHERE word LIKE %(prefix)s AND word <> ALL(%(nothing)s::text[])
        ORDER BY products DESC, word LIMIT %(looked_at)s
    ) AS known
    WHERE EXISTS (
        SELECT FROM {ON_SALE_TEXTS}
        WHERE text.written @@ quote_literal(known.word)::tsquery
    )
    ORDER BY products DESC, word
    LIMIT %(limit)s
"""  # noqa: S608 all that is put in is ours
_SEVERAL = f"""
    SELECT word FROM (
        SELECT word, products FROM search_word
        WHERE word LIKE %(prefix)s AND word <> ALL(%(nothing)s::text[])
        ORDER BY products DESC, word LIMIT %(looked_at)s
    ) AS known
    CROSS JOIN LATERAL (
        SELECT count(*) AS products FROM (
            SELECT FROM {ON_SALE_TEXTS}
            WHERE text.written @@ (%(before)s || quote_literal(known.word))::tsquery
            LIMIT 100
        ) AS enough
    ) AS found
    WHERE found.products > 0
    ORDER BY found.products DESC, known.products DESC, word
    LIMIT %(limit)s
"""  # noqa: S608 all that is put in is ours
_PRODUCTS = f"""
    SELECT product.id FROM {ON_SALE_TEXTS}
    WHERE text.written @@ %(beginning)s::tsquery{{}}
    ORDER BY product.name ILIKE %(typed)s DESC, product.popularity DESC, text.name_length,
        product.id
    LIMIT %(limit)s
"""  # noqa: S608 all that is put in is ours
# SKUs are not among the words that are written.
_OR_SKU = " OR text.words @@ %(sku)s::tsquery"


def suggest(text: str, *, limit: int) -> Suggestions:
    """Searches that begin like this and find something, and products that have all of it."""
    words = _parts(text)
    if not words:
        return Suggestions(engine=ENGINE)
    *before, last = words
    sku = "".join(words)
    params = {
        "beginning": " & ".join([*_quoted(before), f"'{last}':*"]),
        "sku": f"'{sku}':*A",
        "typed": f"{' '.join(words)}%",
        "limit": limit,
    }
    is_sku = len(sku) <= MOST_LETTERS and not sku.isalpha()
    products = _PRODUCTS.format(_OR_SKU if is_sku else "")
    product_ids = [pk for (pk,) in rows(products, params)]
    queries = _queries(words, limit=limit)
    return Suggestions(queries=queries, product_ids=product_ids, engine=ENGINE)


def queries_like(text: str, *, limit: int) -> list[str]:
    """Searches that begin like this and find something, those that find most first."""
    words = _parts(text)
    return _queries(words, limit=limit) if words else []


def _queries(words: list[str], *, limit: int) -> list[str]:
    *before, last = words
    params = {
        "prefix": f"{last}%",
        "nothing": sorted(SAY_NOTHING),
        "looked_at": _COUNTED if before else _LOOKED_AT,
        "before": "".join(f"{word} & " for word in _quoted(before)),
        "limit": limit,
    }
    found = rows(_SEVERAL if before else _ONE_WORD, params)
    return [" ".join([*before, word]) for (word,) in found]


def _parts(text: str) -> list[str]:
    typed = " ".join(words_typed(text))
    return str(rows(_PLAIN, {"typed": typed})[0][0]).split() if typed else []


def _quoted(words: list[str]) -> list[str]:
    return [f"'{word}'" for word in words]
