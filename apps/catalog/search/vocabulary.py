"""The words of what is on sale: how much each says, and what a typo may have meant."""

from django.db import connection, transaction

from shop.alone import alone

_LOCK = 7_263_503  # any number that nothing else in this database locks

_OF_WHAT_IS_ON_SALE = """
    SELECT text.{} FROM search_searchtext AS text
    JOIN catalog_product AS product ON product.id = text.product_id AND product.is_published
    WHERE EXISTS (
        SELECT FROM catalog_variant AS variant
        WHERE variant.product_id = product.id AND variant.is_active
    )
"""
# Only what differs is written: a standby has to replay it.
_STEMS = """
    WITH counted AS (
        SELECT word AS stem, ndoc AS products FROM ts_stat(%(words)s)
        UNION ALL SELECT '', count(*) FROM (%(counted)s) AS on_sale
    ), gone AS (
        DELETE FROM search_stem WHERE stem NOT IN (SELECT stem FROM counted)
    )
    INSERT INTO search_stem AS known (stem, products) SELECT stem, products FROM counted
    ON CONFLICT (stem) DO UPDATE SET products = excluded.products
    WHERE known.products <> excluded.products
"""
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
    stems = _OF_WHAT_IS_ON_SALE.format("words")
    words = _OF_WHAT_IS_ON_SALE.format("written")
    with (
        alone(_LOCK, waiting=lambda: None),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        # The whole catalogue may take longer than a page may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_STEMS.replace("%(counted)s", stems), {"words": stems})
        written: int = cursor.rowcount
        cursor.execute(_WORDS, {"words": words})
        written += cursor.rowcount
        return written
