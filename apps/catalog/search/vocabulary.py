"""The words of what is on sale: how much each says, and what a typo may have meant."""

from django.db import connection, transaction

from apps.catalog.search.postgres.matching import ON_SALE_TEXTS
from shop.alone import alone

_LOCK = 7_263_503  # any number that nothing else in this database locks

_STEMS_ON_SALE = f"SELECT text.words FROM {ON_SALE_TEXTS}"  # noqa: S608 all that is put in is ours
_WORDS_ON_SALE = f"SELECT text.written FROM {ON_SALE_TEXTS}"  # noqa: S608 the same
# Only what differs is written: a standby has to replay it.
_STEMS = f"""
    WITH counted AS (
        SELECT word AS stem, ndoc AS products FROM ts_stat(%(stems)s)
        UNION ALL SELECT '', count(*) FROM {ON_SALE_TEXTS}
    ), gone AS (
        DELETE FROM search_stem WHERE stem NOT IN (SELECT stem FROM counted)
    )
    INSERT INTO search_stem AS known (stem, products) SELECT stem, products FROM counted
    ON CONFLICT (stem) DO UPDATE SET products = excluded.products
    WHERE known.products <> excluded.products
"""  # noqa: S608 the same
_WORDS = """
    WITH counted AS (
        SELECT word, ndoc AS products FROM ts_stat(%(words)s)
        WHERE word ~ '[[:alpha:]]' AND length(word) BETWEEN 2 AND 40
    ), gone AS (
        DELETE FROM search_word WHERE word NOT IN (SELECT word FROM counted)
    )
    INSERT INTO search_word AS known (word, products) SELECT word, products FROM counted
    ON CONFLICT (word) DO UPDATE SET products = excluded.products
    WHERE known.products <> excluded.products
"""


def refresh_vocabulary() -> int:
    """Count the words anew, one process at a time; how many stems and words were written.

    Until then a new product is found by its words all the same, as one that says much.
    """
    with (
        alone(_LOCK, waiting=lambda: None),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        # The whole catalogue may take longer than a page may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_STEMS, {"stems": _STEMS_ON_SALE})
        written: int = cursor.rowcount
        cursor.execute(_WORDS, {"words": _WORDS_ON_SALE})
        written += cursor.rowcount
        return written
