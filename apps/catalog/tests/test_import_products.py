"""`import_products`: a supplier's file becomes the shop's products, once."""

import io
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.db import connection
from django.db.models import Sum

from apps.catalog import inventory
from apps.catalog.importing import run
from apps.catalog.models import Brand, Category, Product, StockItem, StockMovement, Variant
from apps.catalog.tests.supplier_samples import bag_line, icecat_line, luma_line
from tests.builders import NOON, make_variant
from tests.files import write_file
from tests.pipeline import worker_environment
from tests.servers import figures

MODELS: Any = (Category, Brand, Product, Variant, StockItem, StockMovement)


def import_file(path: Path, *arguments: str) -> str:
    out = io.StringIO()
    call_command("import_products", path, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def failed_import(path: Path, *arguments: str) -> str:
    """What a run printed that ended with an error, the error at the end."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("import_products", path, *arguments, stdout=out, stderr=out)
    assert error.value.returncode == 1
    return f"{out.getvalue()}{error.value}"


def everything() -> str:
    rows = [row for model in MODELS for row in model._default_manager.order_by("pk")]
    return str(serialize("json", rows))


def figure(output: str, name: str) -> int:
    (line,) = [line for line in output.splitlines() if line.startswith(f"{name}  ")]
    return int(line.split()[-1])


@pytest.mark.django_db
class TestIcecat:
    def test_makes_a_product_with_its_variant(self, tmp_path: Path) -> None:
        import_file(write_file(tmp_path / "a.jsonl", [icecat_line(7)]))
        product = Product.objects.get()
        assert (product.name, product.slug) == (
            "Acme 7 Original Cyan",
            "acme-7-original-cyan-ice-7",
        )
        assert product.description == "A cartridge.\nLasts & lasts"
        assert product.brand is not None
        assert (product.brand.name, product.brand.slug) == ("Acme", "acme")
        assert product.category.slug == "printing-ink-cartridges"
        assert product.category.parent is not None
        assert product.category.parent.name == "Printing"
        assert product.is_published
        variant = product.variants.get()
        assert (variant.sku, variant.name, variant.price) == ("ICE-7", "", Decimal("12.95"))

    def test_makes_attributes_readable(self, tmp_path: Path) -> None:
        import_file(write_file(tmp_path / "a.jsonl", [icecat_line()]))
        assert Product.objects.get().attributes == {
            "Printing colours": ["Black", "Cyan"],
            "Power": ["100 V, 2 A"],
            "Width": ["298.45"],
            "Package weight": ["450"],
            "RoHS compliance": ["Yes"],
            "Storage temperature": ["-40 - 60"],
            "USB 2.0 ports quantity": ["2"],
        }

    def test_cuts_a_long_name_and_keeps_the_whole_one_above_the_text(
        self, tmp_path: Path
    ) -> None:
        title = "Very long " * 25
        output = import_file(write_file(tmp_path / "a.jsonl", [icecat_line(title=title)]))
        product = Product.objects.get()
        assert product.name == "Very long " * 19 + "Very long…"
        assert product.description.splitlines()[0] == title.strip()
        assert len(product.slug) < 120
        assert figure(output, "names that were too long and cut") == 1

    def test_invents_no_stock(self, tmp_path: Path) -> None:
        import_file(write_file(tmp_path / "a.jsonl", [icecat_line()]))
        assert not StockMovement.objects.exists()
        assert not Product.objects.in_stock().exists()

    def test_books_opening_stock_if_told_to_once(self, tmp_path: Path) -> None:
        path = write_file(tmp_path / "a.jsonl", [icecat_line(1), icecat_line(2)])
        import_file(path)
        output = import_file(path, "--stock", "12")
        assert figure(output, "units of opening stock booked") == 24
        assert figure(import_file(path, "--stock", "12"), "units of opening stock booked") == 0
        assert [item.on_hand for item in StockItem.objects.all()] == [12, 12]

    def test_keeps_the_addresses_of_two_products_with_one_title_apart(
        self, tmp_path: Path
    ) -> None:
        lines = [icecat_line(number, title="Desk mount") for number in (1, 2)]
        lines.append(icecat_line(title="Desk", sku="mount-ICE-1"))
        lines.append(icecat_line(title="Desk mount", sku="ICE 1"))
        import_file(write_file(tmp_path / "a.jsonl", lines))
        slugs = list(Product.objects.order_by("pk").values_list("slug", flat=True))
        assert slugs[:2] == ["desk-mount-ice-1", "desk-mount-ice-2"]
        assert all(slug.startswith("desk-mount-ice-1-") for slug in slugs[2:])
        assert len(set(slugs)) == 4

    def test_gives_every_row_an_address_with_a_letter(self, tmp_path: Path) -> None:
        line = icecat_line(title="80", sku="17", brand="3", category_derived="2024 > 2025")
        import_file(write_file(tmp_path / "a.jsonl", [line]))
        product = Product.objects.select_related("brand", "category__parent").get()
        assert product.slug == "80-product-17"
        assert product.brand is not None
        assert product.brand.slug == "brand-3"
        assert product.category.slug == "category-2024-2025"


@pytest.mark.django_db
class TestLuma:
    def test_makes_a_product_with_what_can_be_chosen(self, tmp_path: Path) -> None:
        import_file(write_file(tmp_path / "l.jsonl", [luma_line()]))
        product = Product.objects.get()
        assert (product.name, product.slug) == ("Chip Hoodie", "chip-hoodie-mh01")
        assert product.description == "Warm • soft.\n• Wash cold"
        assert product.category.slug == "men-tops-hoodies"
        assert product.attributes == {
            "Material": ["Wool", "Fleece"],
            "Style": ["Slim"],
            "Size": ["S", "M"],
            "Color": ["Red", "Blue"],
            "Collections": ["Eco"],
        }
        variants = product.variants.order_by("pk").values_list(
            "sku", "name", "price", "stock__on_hand"
        )
        assert list(variants) == [
            ("MH01-S-Red", "S, Red", Decimal("52.00"), 100),
            ("MH01-S-Blue", "S, Blue", Decimal("52.00"), 100),
            ("MH01-M-Red", "M, Red", Decimal("54.50"), 100),
            ("MH01-M-Blue", "M, Blue", Decimal("54.50"), 100),
        ]

    def test_makes_a_product_that_comes_alone(self, tmp_path: Path) -> None:
        import_file(write_file(tmp_path / "l.jsonl", [bag_line()]), "--stock", "3")
        product = Product.objects.get()
        assert product.category.slug == "gear-bags"
        assert product.attributes == {"Activity": ["Gym", "Travel"], "Collections": ["Eco"]}
        assert product.variants.get().stock.on_hand == 7  # what the line says, not --stock


@pytest.mark.django_db
class TestAgain:
    LINES = (icecat_line(1), icecat_line(2), luma_line(), bag_line())

    def test_a_second_run_changes_nothing(self, tmp_path: Path) -> None:
        path = write_file(tmp_path / "a.jsonl", self.LINES, packed=True)
        import_file(path)
        before = everything()  # search_version and movements included
        output = import_file(path)
        assert everything() == before
        assert figure(output, "products that were up to date") == 4

    def test_brings_up_to_date_what_the_file_says_and_leaves_the_rest(
        self, tmp_path: Path
    ) -> None:
        import_file(write_file(tmp_path / "a.jsonl", self.LINES))
        Product.objects.filter(slug__endswith="ice-1").update(
            name="Mine", slug="mine", is_published=False
        )
        lines = [
            icecat_line(1, price_minor=995, description=None, brand=""),
            icecat_line(2, category_derived="printing > Toner"),
        ]
        output = import_file(write_file(tmp_path / "b.jsonl", lines))
        assert figure(output, "products brought up to date") == 2
        one, two = Product.objects.filter(variants__sku__startswith="ICE").order_by("pk")
        assert (one.name, one.slug, one.is_published) == ("Acme 1 Original Cyan", "mine", False)
        assert one.variants.get().price == Decimal("9.95")
        assert one.description
        assert one.brand
        assert two.category.parent == one.category.parent  # whatever its case
        assert Product.objects.count() == 4

    def test_books_no_opening_stock_where_a_delivery_was_booked(self, tmp_path: Path) -> None:
        make_variant("bag-1", on_hand=2)
        import_file(write_file(tmp_path / "a.jsonl", [bag_line()]))
        assert StockItem.objects.get().on_hand == 2
        assert StockMovement.objects.count() == 1

    def test_does_not_bring_back_what_was_sold(self, tmp_path: Path) -> None:
        path = write_file(tmp_path / "a.jsonl", [bag_line()])
        import_file(path)
        bag = Variant.objects.get()
        inventory.reserve({bag.pk: 5}, reference="order-1", now=NOON)
        inventory.sell(reference="order-1", now=NOON)
        import_file(path)
        assert StockItem.objects.get().on_hand == 2

    def test_adds_a_variant_to_the_product_that_has_the_others(self, tmp_path: Path) -> None:
        whole = luma_line()
        first = {**whole, "variants": whole["variants"][:2]}
        import_file(write_file(tmp_path / "a.jsonl", [first]))
        output = import_file(write_file(tmp_path / "b.jsonl", [whole]))
        assert figure(output, "variants made") == 2
        assert Product.objects.get().variants.count() == 4


@pytest.mark.django_db
class TestProblems:
    def test_names_the_line_imports_the_others_and_ends_with_an_error(
        self, tmp_path: Path
    ) -> None:
        lines = [
            icecat_line(1),
            "",
            "{",
            luma_line(type="bundle"),
            {"sku": "X"},
            icecat_line(1),
            icecat_line(2),
        ]
        output = failed_import(write_file(tmp_path / "a.jsonl", lines))
        assert "a.jsonl, line 3: not JSON.\n" in output
        assert "a.jsonl, line 4: a bundle product: the shop sells no sets.\n" in output
        assert "a.jsonl, line 5: neither a product of Icecat (with sku, title" in output
        assert "a.jsonl, line 6: SKU ICE-1 was in a.jsonl, line 1 already.\n" in output
        assert output.endswith("Lines left out: 4.")
        assert sorted(Variant.objects.values_list("sku", flat=True)) == ["ICE-1", "ICE-2"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (icecat_line(title=" "), "without a name"),
            (icecat_line(title=5), "name 5 is not text"),
            (icecat_line(sku="MÜG"), "SKU 'M\\xdcG' is not printable ASCII text"),
            (icecat_line(price_minor=-1), "price_minor -1 is negative or too high"),
            (icecat_line(price_minor=10**12), "price_minor 1000000000000 is negative or"),
            (icecat_line(price_minor=9.5), "price_minor 9.5 is not a whole number"),
            (icecat_line(price_minor=True), "price_minor True is not a whole number"),
            (icecat_line(category_derived=None), "without a category"),
            (icecat_line(category_derived="A >  > B"), "without a category"),
            (icecat_line(category_derived=" > ".join("abcdefghijk")), "inside 10 others"),
            (icecat_line(category_derived="x" * 101), "longer than 100 characters"),
            (icecat_line(brand="x" * 101), "longer than 100 characters"),
            (icecat_line(description=[]), "description a list is not text"),
            (icecat_line(attributes=[]), "attributes are not an object"),
            (icecat_line(attributes={"x_y": "z"}), "'x_y' does not start with t_, n_ or b_"),
            (icecat_line(attributes={"t_y": []}), "'t_y' is neither text, number"),
            (icecat_line(attributes={f"t_{n}": "z" for n in range(301)}), "301 attributes"),
            (icecat_line(attributes={"t_a": "\n".join(map(str, range(301)))}), "301 values"),
            (icecat_line(attributes={"n_a": 10**400}), "'n_a' is no number that a"),
            (icecat_line(attributes={"n_a": float("nan")}), "'n_a' is no number that a"),
            (luma_line(type=[]), "unknown type a list"),
            (luma_line(type="\ud800"), "unknown type '\\ud800'"),
            (luma_line(categories=[]), "without a category"),
            (luma_line(variants=[]), "variants are not a list of at least one"),
            (luma_line(variants=["x"]), "a variant is not an object"),
            (luma_line(variants=[{"sku": "A", "price": "1"}]), "a variant without options"),
            (luma_line(attributes={"a": 1}), "'a' is neither text nor a list of texts"),
            (luma_line(variants=luma_line()["variants"][:1] * 2), "two variants with one SKU"),
            (bag_line(price=None), 'price None is not an amount such as "2.55"'),
            (bag_line(price="1e3"), "price '1e3' is not an amount"),
            (bag_line(qty="-1"), "quantity '-1' is not a whole number up to 1000000"),
            (bag_line(qty="1000001"), "quantity '1000001' is not a whole number"),
        ],
    )
    def test_says_what_is_wrong_with_a_line(
        self, tmp_path: Path, line: Any, reason: str
    ) -> None:
        assert reason in failed_import(write_file(tmp_path / "a.jsonl", [line]))
        assert not Product.objects.exists()

    def test_takes_characters_that_the_database_cannot_keep_for_blanks(
        self, tmp_path: Path
    ) -> None:
        line = icecat_line(title="A\0B", description="x\ud800", attributes={"t_a": "1\0"})
        import_file(write_file(tmp_path / "a.jsonl", [line]))
        product = Product.objects.get()
        assert (product.name, product.description) == ("A B", "x")
        assert product.attributes == {"A": ["1"]}

    def test_an_odd_line_stops_no_other(self, tmp_path: Path) -> None:
        option = luma_line()["variants"][0] | {"options": {"si\0ze\udfff": "S"}}
        lines = [
            icecat_line(1, attributes={"t_a\0b": "x", "t_c\ud800": "y"}),
            icecat_line(2, title="Ink <![foo[ 2", description="a <![ b"),
            icecat_line(3, attributes={"n_a": 10**400}),
            luma_line(attributes={"a\0": "x"}, variants=[option]),
            icecat_line(4),
        ]
        output = failed_import(write_file(tmp_path / "a.jsonl", lines))
        assert "a.jsonl, line 3: attribute 'n_a' is no number" in output
        assert output.endswith("Lines left out: 1.")
        found = {product.slug[-5:]: product for product in Product.objects.all()}
        assert found["ice-1"].attributes == {"A b": ["X"], "C": ["Y"]}
        assert (found["ice-2"].name, found["ice-2"].description) == ("Ink <![foo[ 2", "a <![ b")
        assert found["-mh01"].attributes == {
            "A": ["x"],
            "Si ze": ["S"],
            "Collections": ["Eco"],
        }
        assert "ice-4" in found

    def test_refuses_a_line_whose_skus_belong_to_two_products(self, tmp_path: Path) -> None:
        make_variant("MH01-S-Red")
        make_variant("MH01-M-Red")
        output = failed_import(write_file(tmp_path / "a.jsonl", [luma_line()]))
        assert "line 1: its SKUs belong to 2 products of the shop: Mh01-M-Red;" in output
        assert Variant.objects.count() == 2

    def test_refuses_a_second_line_for_one_product_in_the_same_batch_or_later(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mug = make_variant("ICE-1").product
        make_variant("ICE-2", product=mug)
        make_variant("ICE-3", product=mug)
        monkeypatch.setattr(run, "BATCH", 2)
        path = write_file(tmp_path / "a.jsonl", [icecat_line(n) for n in (1, 2, 3)])
        output = failed_import(path)
        for number in (2, 3):
            assert f"line {number}: an earlier line has set the product" in output
        mug.refresh_from_db()
        assert mug.name == "Acme 1 Original Cyan"

    def test_names_the_first_problems_and_counts_the_rest(self, tmp_path: Path) -> None:
        output = failed_import(write_file(tmp_path / "a.jsonl", ["x"] * 30))
        assert output.count(": not JSON.") == 20
        assert "And 10 more.\n" in output

    def test_touches_nothing_if_a_file_is_damaged_at_its_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "BATCH", 2)
        path = write_file(tmp_path / "a.jsonl", [icecat_line(n) for n in range(9)], packed=True)
        path.write_bytes(path.read_bytes()[:-20])
        assert "a.jsonl cannot be read: " in failed_import(path)
        assert not Product.objects.exists()

    def test_refuses_nonsense_for_opening_stock(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="-1 is not 0 to 1000000"):
            import_file(tmp_path / "a.jsonl", "--stock=-1")


@pytest.mark.django_db
def test_a_dry_run_says_what_would_be_done_and_keeps_nothing(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.jsonl", [icecat_line(), luma_line(), "x"])
    output = failed_import(path, "--dry-run")
    assert "a.jsonl, line 3: not JSON." in output
    assert figure(output, "products made") == 2
    assert figure(output, "units of opening stock booked") == 400
    assert [model.objects.count() for model in MODELS] == [0] * len(MODELS)


@pytest.mark.django_db
def test_a_batch_may_take_longer_than_a_page_may(tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '1s'")
        cursor.execute(
            "CREATE FUNCTION tarry() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN PERFORM pg_sleep(1.2); RETURN NEW; END $$;"
            "CREATE TRIGGER tarry BEFORE INSERT ON catalog_brand"
            " FOR EACH ROW EXECUTE FUNCTION tarry()"
        )
    import_file(write_file(tmp_path / "a.jsonl", [icecat_line()]))
    assert Product.objects.count() == 1


# Dies in its second transaction, after everything in it is written.
_DYING = """
import os, signal, sys, django; django.setup()
from django.core.management import call_command
from apps.catalog.importing import run
run.BATCH, original, calls = 4, run.write, []
def write(*args, **kwargs):
    written = original(*args, **kwargs)
    calls.append(written)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return written
run.write = write
call_command("import_products", sys.argv[1])
"""


def whole_shop() -> list[Any]:
    """Everything but ids and times, so that two shops can be compared."""
    products = Product.objects.order_by("slug").values_list(
        "slug", "name", "description", "attributes", "brand__slug", "category__slug"
    )
    variants = Variant.objects.order_by("sku").values_list(
        "sku", "name", "price", "product__slug", "stock__on_hand"
    )
    movements = StockMovement.objects.order_by("variant__sku").values_list(
        "variant__sku", "kind", "quantity", "reference"
    )
    categories = Category.objects.order_by("slug").values_list("slug", "parent__slug")
    return [list(rows) for rows in (products, variants, movements, categories)]


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_and_started_again_it_makes_the_same_shop(tmp_path: Path) -> None:
    lines = [icecat_line(n, title="Desk mount") for n in range(1, 9)]
    path = write_file(tmp_path / "a.jsonl", [*lines, luma_line(), bag_line()])
    import_file(path, "--stock", "3")
    uninterrupted = whole_shop()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_category, catalog_brand CASCADE")

    command = [sys.executable, "-c", _DYING, str(path)]
    ended = subprocess.run(command, env=worker_environment(), check=False)  # noqa: S603 ours
    assert ended.returncode == -signal.SIGKILL
    assert Product.objects.count() == 4  # the first transaction, and nothing of the second
    output = import_file(path, "--stock", "3")
    assert figure(output, "products made") == 6
    assert whole_shop() == uninterrupted


@pytest.fixture
def real_files() -> list[str]:
    paths = os.environ.get("IMPORT_PRODUCTS")
    if not paths:
        pytest.skip("IMPORT_PRODUCTS does not name the files of real products")
    return paths.split(os.pathsep)


@pytest.mark.slow
@pytest.mark.django_db
def test_takes_the_real_files_and_changes_nothing_the_second_time(
    real_files: list[str],
) -> None:
    def run_once() -> tuple[str, float]:
        out, started = io.StringIO(), time.monotonic()
        with suppress(CommandError):  # sets are left out
            call_command("import_products", *real_files, stdout=out, stderr=out)
        return out.getvalue(), time.monotonic() - started

    output, seconds = run_once()
    made = figure(output, "products made")
    assert made > 100
    problems = [line for line in output.splitlines() if ", line " in line]
    assert not [line for line in problems if "the shop sells no sets" not in line]
    figures.append(f"import of {made} products: {seconds:.1f} s")
    versions = Product.objects.aggregate(Sum("search_version"))
    rows = [model.objects.count() for model in MODELS]
    output, seconds = run_once()
    figures.append(f"the same again: {seconds:.1f} s")
    assert figure(output, "products that were up to date") == made
    assert Product.objects.aggregate(Sum("search_version")) == versions
    assert [model.objects.count() for model in MODELS] == rows
