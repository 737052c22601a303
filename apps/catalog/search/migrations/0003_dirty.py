"""Every change that alters a document raises the product's search_version and marks it dirty,
in the transaction of the change, whoever makes it. A renamed category or brand leaves one row,
however many products it has, and a worker follows it.

No join of two transition tables: planned for one row and kept, it takes minutes for all of them.

All names are qualified: a restored dump has no search_path.
"""

from django.db import migrations

from apps.catalog.search.migrations import _triggers

PRODUCTS = """
-- Raises the versions of these products, in the order of their ids. The trigger on the table
-- marks them dirty.
CREATE FUNCTION search_raise(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    WITH locked AS MATERIALIZED (
        SELECT id FROM public.catalog_product
        WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE public.catalog_product AS product
    SET search_version = product.search_version + 1
    FROM locked WHERE product.id = locked.id
$$;

-- The version only grows: a form that was opened before another change saves an old one.
CREATE FUNCTION search_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint := NEW.search_version;
BEGIN
    NEW.search_version := OLD.search_version;
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.search_version := OLD.search_version + 1;
    ELSE
        NEW.search_version := greatest(wanted, OLD.search_version);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER search_version_grows BEFORE UPDATE ON catalog_product
    FOR EACH ROW EXECUTE FUNCTION search_keep_version();

CREATE FUNCTION search_mark_product() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""

VARIANTS = """
CREATE FUNCTION search_mark_variant() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""

STOCK = """
-- What a document says of one variant's stock. A product's is the best of its variants', so
-- that two checkouts of two variants need not know of each other.
CREATE FUNCTION search_stock_bucket(on_hand integer, reserved integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN on_hand - reserved <= 0 THEN 'none'
                WHEN on_hand - reserved <= 5 THEN 'low' ELSE 'in' END
$$;

-- Also for variants that are not active: who activates one may not be committed yet.
CREATE FUNCTION search_mark_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT variant_id FROM after WHERE on_hand > reserved);
    ELSIF TG_OP = 'DELETE' THEN
        changed := ARRAY(SELECT variant_id FROM before WHERE on_hand > reserved);
    ELSE
        changed := ARRAY(
            SELECT variant_id FROM (
                SELECT variant_id, public.search_stock_bucket(on_hand, reserved) FROM after
                EXCEPT
                SELECT variant_id, public.search_stock_bucket(on_hand, reserved) FROM before
            ) AS is_now
            UNION
            SELECT variant_id FROM (
                SELECT variant_id, public.search_stock_bucket(on_hand, reserved) FROM before
                EXCEPT
                SELECT variant_id, public.search_stock_bucket(on_hand, reserved) FROM after
            ) AS was
        );
    END IF;
    IF cardinality(changed) > 0 THEN
        PERFORM public.search_raise(
            ARRAY(SELECT product_id FROM public.catalog_variant WHERE id = ANY(changed))
        );
    END IF;
    RETURN NULL;
END $$;
"""

SHELVES = """
CREATE FUNCTION search_mark_brand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.search_renaming (brand_id)
    SELECT id FROM (SELECT * FROM after EXCEPT SELECT * FROM before) AS changed;
    RETURN NULL;
END $$;
CREATE TRIGGER search_dirty_if_changed AFTER UPDATE ON catalog_brand
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION search_mark_brand();

CREATE FUNCTION search_mark_category() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.search_renaming (category_id)
    SELECT id FROM (SELECT * FROM after EXCEPT SELECT * FROM before) AS changed;
    RETURN NULL;
END $$;
CREATE TRIGGER search_dirty_if_changed AFTER UPDATE ON catalog_category
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION search_mark_category();
"""

MARKED = {
    "catalog_product": "search_mark_product",
    "catalog_variant": "search_mark_variant",
    "catalog_stockitem": "search_mark_stock",
}
TRIGGERS = "".join(
    _triggers.create("search_dirty_if", table, function=function)
    for table, function in MARKED.items()
)
DROPS = "".join(_triggers.drop("search_dirty_if", table) for table in MARKED)
REVERSE = """
DROP TRIGGER search_dirty_if_changed ON catalog_category;
DROP TRIGGER search_dirty_if_changed ON catalog_brand;
DROP TRIGGER search_version_grows ON catalog_product;
DROP FUNCTION search_mark_category();
DROP FUNCTION search_mark_brand();
DROP FUNCTION search_mark_stock();
DROP FUNCTION search_stock_bucket(integer, integer);
DROP FUNCTION search_mark_variant();
DROP FUNCTION search_mark_product();
DROP FUNCTION search_keep_version();
DROP FUNCTION search_raise(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_search"),
        ("search", "0002_text"),
    ]

    operations = [
        migrations.RunSQL(
            sql=PRODUCTS + VARIANTS + STOCK + SHELVES + TRIGGERS, reverse_sql=DROPS + REVERSE
        ),
    ]
