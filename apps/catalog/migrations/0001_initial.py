from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Variant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sku", models.CharField(max_length=64, verbose_name="SKU")),
                (
                    "name",
                    models.CharField(
                        blank=True, help_text="For example “Red, M”.", max_length=100
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
        ),
        migrations.CreateModel(
            name="Brand",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("slug", models.SlugField(max_length=110)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("slug",), name="one_brand_per_slug"),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "[A-Za-z]")),
                        name="brand_slug_has_a_letter",
                        violation_error_message="A slug needs a letter: without one it could be an id.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("slug", models.SlugField(max_length=110)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="catalog.category",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "categories",
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("slug", models.SlugField(max_length=210)),
                ("description", models.TextField(blank=True)),
                ("is_published", models.BooleanField(default=True, verbose_name="published")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="catalog.brand",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="products",
                        to="catalog.category",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StockItem",
            fields=[
                (
                    "variant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="stock",
                        serialize=False,
                        to="catalog.variant",
                    ),
                ),
                ("on_hand", models.PositiveIntegerField(default=0)),
                ("reserved", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="variant",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="variants",
                to="catalog.product",
            ),
        ),
        migrations.CreateModel(
            name="StockMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("receipt", "receipt"),
                            ("correction", "correction"),
                            ("reservation", "reservation"),
                            ("release", "release"),
                            ("sale", "sale"),
                            ("restock", "restock"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "quantity",
                    models.IntegerField(help_text="Units; negative only for a correction."),
                ),
                (
                    "reference",
                    models.CharField(
                        help_text="Who moved it: an order, a delivery note.", max_length=64
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("booked_at", models.DateTimeField()),
                (
                    "variant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movements",
                        to="catalog.variant",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.UniqueConstraint(fields=("slug",), name="one_category_per_slug"),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("slug__regex", "[A-Za-z]")),
                name="category_slug_has_a_letter",
                violation_error_message="A slug needs a letter: without one it could be an id.",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("is_published", True)),
                fields=["name", "id"],
                name="product_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("is_published", True)),
                fields=["-created_at", "-id"],
                name="product_by_newest",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.UniqueConstraint(fields=("slug",), name="one_product_per_slug"),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("slug__regex", "[A-Za-z]")),
                name="product_slug_has_a_letter",
                violation_error_message="A slug needs a letter: without one it could be an id.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reserved__gte", 0), ("reserved__lte", models.F("on_hand"))
                ),
                name="stock_never_oversold",
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("sku"),
                name="one_variant_per_sku",
                violation_error_message="Another variant has this SKU.",
            ),
        ),
        migrations.AddConstraint(
            model_name="variant",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gte", 0)), name="price_is_not_negative"
            ),
        ),
        migrations.AddIndex(
            model_name="stockmovement",
            index=models.Index(fields=["variant", "-id"], name="movement_by_variant"),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.UniqueConstraint(
                fields=("reference", "variant", "kind"), name="one_movement_per_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        ["receipt", "correction", "reservation", "release", "sale", "restock"],
                    )
                ),
                name="movement_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("quantity__gt", 0),
                    models.Q(("kind", "correction"), models.Q(("quantity", 0), _negated=True)),
                    _connector="OR",
                ),
                name="movement_moves_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "correction"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="correction_has_a_reason",
            ),
        ),
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION shop_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION '% is append-only: book another row instead', TG_TABLE_NAME
                        USING ERRCODE = 'restrict_violation';
                END $$;
            """,
            reverse_sql="""DROP FUNCTION shop_refuse_change();""",
        ),
        migrations.RunSQL(
            sql="""
                CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON catalog_stockmovement
                FOR EACH ROW EXECUTE FUNCTION shop_refuse_change();
            """,
            reverse_sql="""DROP TRIGGER append_only ON catalog_stockmovement;""",
        ),
        migrations.RunSQL(
            sql="""ALTER TABLE catalog_stockitem SET (fillfactor = 50);""",
            reverse_sql="""ALTER TABLE catalog_stockitem RESET (fillfactor);""",
        ),
    ]
