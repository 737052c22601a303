"""No category inside itself, also if two people move two of them at once: whatever follows the
tree, in SQL or in Python, would never end."""

from django.db import migrations

CREATE = """
CREATE FUNCTION catalog_refuse_circle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- One after the other: each of two moves may be right alone. A new category need not wait.
    IF TG_OP = 'UPDATE' THEN
        PERFORM pg_advisory_xact_lock(7263505);
    END IF;
    IF EXISTS (
        WITH RECURSIVE above AS (
            SELECT NEW.parent_id AS id
            UNION
            SELECT category.parent_id
            FROM public.catalog_category AS category JOIN above ON category.id = above.id
        )
        SELECT FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'category % would be inside itself', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER catalog_category_is_new AFTER INSERT ON catalog_category
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
    EXECUTE FUNCTION catalog_refuse_circle();
CREATE TRIGGER catalog_category_is_moved AFTER UPDATE OF parent_id ON catalog_category
    FOR EACH ROW WHEN (NEW.parent_id <> OLD.parent_id OR OLD.parent_id IS NULL)
    EXECUTE FUNCTION catalog_refuse_circle();
"""
DROP = """
DROP TRIGGER catalog_category_is_moved ON catalog_category;
DROP TRIGGER catalog_category_is_new ON catalog_category;
DROP FUNCTION catalog_refuse_circle();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_search"),
    ]

    operations = [
        migrations.RunSQL(sql=CREATE, reverse_sql=DROP),
    ]
