"""What is renamed leaves one row, however many products it has, and a worker follows it.

The trigger that wrote all texts at once took 17 seconds for 20,000 products, and neither it
nor the marks knew of a product that another transaction was just bringing in.
"""

from importlib import import_module

import django.db.models.functions.datetime
from django.db import migrations, models

SHELVES = """
DROP TRIGGER search_text_of_changed ON catalog_category;
DROP TRIGGER search_text_of_changed ON catalog_brand;
DROP FUNCTION search_category_text();
DROP FUNCTION search_brand_text();

CREATE OR REPLACE FUNCTION search_mark_brand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.search_renaming (brand_id)
    SELECT id FROM (SELECT * FROM after EXCEPT SELECT * FROM before) AS changed;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION search_mark_category() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.search_renaming (category_id)
    SELECT id FROM (SELECT * FROM after EXCEPT SELECT * FROM before) AS changed;
    RETURN NULL;
END $$;
"""

# A join of two transition tables, planned for one row and kept, takes minutes for all of them.
MARKS = """
CREATE OR REPLACE FUNCTION search_mark_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.search_dirtyproduct AS dirty (product_id, version)
        SELECT id, search_version FROM after ORDER BY id
        ON CONFLICT (product_id) DO UPDATE
        SET version = greatest(dirty.version, excluded.version);
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO public.search_dirtyproduct AS dirty (product_id, version)
        SELECT id, search_version FROM (
            SELECT id, search_version FROM after EXCEPT SELECT id, search_version FROM before
        ) AS changed ORDER BY id
        ON CONFLICT (product_id) DO UPDATE
        SET version = greatest(dirty.version, excluded.version);
    ELSE
        INSERT INTO public.search_dirtyproduct AS dirty (product_id, version)
        SELECT id, search_version + 1 FROM before ORDER BY id
        ON CONFLICT (product_id) DO UPDATE
        SET version = greatest(dirty.version, excluded.version);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION search_mark_variant() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        ids := ARRAY(SELECT DISTINCT product_id FROM after);
    ELSIF TG_OP = 'DELETE' THEN
        ids := ARRAY(SELECT DISTINCT product_id FROM before);
    ELSE
        ids := ARRAY(
            SELECT product_id FROM (SELECT * FROM after EXCEPT SELECT * FROM before) AS is_now
            UNION
            SELECT product_id FROM (SELECT * FROM before EXCEPT SELECT * FROM after) AS was
        );
    END IF;
    IF cardinality(ids) > 0 THEN
        PERFORM public.search_raise(ids);
    END IF;
    RETURN NULL;
END $$;

-- Also for variants that are not active: who activates one may not be committed yet.
CREATE OR REPLACE FUNCTION search_mark_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT variant_id FROM after WHERE on_hand > reserved);
    ELSIF TG_OP = 'DELETE' THEN
        changed := ARRAY(SELECT variant_id FROM before WHERE on_hand > reserved);
    ELSE
        changed := ARRAY(SELECT variant_id FROM (
            SELECT variant_id, public.search_stock_bucket(on_hand, reserved) FROM after
            EXCEPT
            SELECT variant_id, public.search_stock_bucket(on_hand, reserved) FROM before
        ) AS bucket);
    END IF;
    IF cardinality(changed) > 0 THEN
        PERFORM public.search_raise(
            ARRAY(SELECT product_id FROM public.catalog_variant WHERE id = ANY(changed))
        );
    END IF;
    RETURN NULL;
END $$;
"""

_dirty = import_module("apps.catalog.search.migrations.0003_dirty")
_texts = import_module("apps.catalog.search.migrations.0002_text").TRIGGERS
_TEXTS_OF_SHELVES = _texts[
    _texts.index("CREATE FUNCTION search_brand_text") : _texts.index("-- What was there before")
]
REVERSE = (
    _dirty.REVERSE
    + _dirty.PRODUCTS
    + _dirty.VARIANTS
    + _dirty.STOCK
    + _dirty.SHELVES
    + _TEXTS_OF_SHELVES
)


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0004_progress"),
    ]

    operations = [
        migrations.CreateModel(
            name="Renaming",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("category_id", models.BigIntegerField(blank=True, null=True)),
                ("brand_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "renamed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "horizon",
                    models.BigIntegerField(
                        blank=True,
                        help_text="A transaction below it may not know the new name.",
                        null=True,
                    ),
                ),
                (
                    "done_up_to",
                    models.BigIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Products up to this one have followed.",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(sql=SHELVES + MARKS, reverse_sql=REVERSE),
    ]
