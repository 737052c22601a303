"""Products as a spreadsheet: exported, edited, previewed, imported. All or nothing."""

import csv
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.models import Brand, Category, Product, StockMovement, Variant
from apps.catalog.spreadsheet import formats
from apps.catalog.spreadsheet.cells import cell_text, escaped
from tests.builders import make_staff, make_user, make_variant
from tests.statements import counted

pytestmark = pytest.mark.django_db

IMPORT = "admin:catalog_product_import"
NEW = {
    "sku": "CUP-1",
    "product": "cup",
    "name": "Cup",
    "category": "Kitchen > Cups",
    "brand": "Hardwick",
    "attributes": "Colour: Red\nColour: Blue",
    "price": "4.50",
}


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def sheet(*rows: dict[str, Any]) -> bytes:
    """The rows as CSV; the first one names the columns."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(client: Client, content: bytes, *, name: str = "sheet.csv") -> Any:
    return client.post(
        reverse(IMPORT), {"resource": "0", "import_file": SimpleUploadedFile(name, content)}
    )


def confirm(client: Client, page: Any) -> Any:
    form = page.context["confirm_form"]
    return client.post(reverse("admin:catalog_product_process_import"), form.initial)


def take(client: Client, content: bytes, *, name: str = "sheet.csv") -> None:
    """Upload the file, look at the preview, confirm it."""
    page = upload(client, content, name=name)
    assert page.context.get("problems") == []
    answer = confirm(client, page)
    assert answer["Location"] == reverse("admin:catalog_product_changelist")


def problems(client: Client, content: bytes, *, name: str = "sheet.csv") -> list[str]:
    page = upload(client, content, name=name)
    assert page.status_code == 200
    assert "confirm_form" not in page.context
    return list(page.context.get("problems") or page.context["form"].errors["import_file"])


def export(client: Client, file_format: type[Any], **query: str) -> HttpResponse:
    url = reverse("admin:catalog_product_export", query=query)
    form = {"format": formats.FORMATS.index(file_format), "resource": 0}
    answer: Any = client.post(url, form)
    assert "attachment" in answer["Content-Disposition"]
    return answer  # type: ignore[no-any-return]


def exported(client: Client, **query: str) -> list[dict[str, str]]:
    content = export(client, formats.CSVFile, **query).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


class TestImport:
    def test_shows_what_it_would_do_and_does_nothing_yet(self, sue: Client) -> None:
        make_variant("MUG")
        page = upload(sue, sheet(NEW))
        text = page.content.decode()
        assert "CUP-1" in text
        assert "These are new. Look for misspellings: category Kitchen &gt; Cups; brand" in text
        assert Product.objects.get().slug == "mug"
        assert Category.objects.count() == 1

    def test_makes_products_with_variants_categories_and_brands(self, sue: Client) -> None:
        make_variant("MUG")
        other = {**NEW, "sku": "CUP-2", "price": "5,00"}
        take(sue, sheet(NEW, other))
        cup = Product.objects.get(slug="cup")
        assert (cup.name, cup.attributes) == ("Cup", {"Colour": ["Red", "Blue"]})
        assert cup.brand == Brand.objects.get(name="Hardwick")
        assert cup.category.parent == Category.objects.get(slug="kitchen")
        assert list(cup.variants.order_by("sku").values_list("sku", "price")) == [
            ("CUP-1", Decimal("4.50")),
            ("CUP-2", Decimal("5.00")),
        ]
        assert cup.is_published
        assert not StockMovement.objects.exists()

    def test_changes_only_the_columns_that_are_there(self, sue: Client) -> None:
        mug = make_variant("MUG", on_hand=3)
        make_variant("PAN")
        page = upload(
            sue, sheet({"sku": "mug", "price": "10"}, {"sku": "PAN", "price": "9.50"})
        )
        assert page.context["totals"] == {
            "new": 0,
            "update": 1,
            "delete": 0,
            "skip": 1,
            "error": 0,
            "invalid": 0,
        }
        assert "price: <del>9.50</del> → 10.00" in page.content.decode()
        before = Product.objects.get(slug="pan").search_version
        confirm(sue, page)
        mug.refresh_from_db()
        assert (mug.sku, mug.price, mug.stock.on_hand) == ("MUG", Decimal(10), 3)
        assert mug.product.name == "Mug"
        assert Product.objects.get(slug="pan").search_version == before

    def test_reads_no_stock(self, sue: Client) -> None:
        make_variant("MUG", on_hand=3)
        take(sue, sheet({"sku": "MUG", "on_hand": "900", "available": "900"}))
        assert StockMovement.objects.count() == 1

    def test_empties_what_may_be_empty(self, sue: Client) -> None:
        take(sue, sheet({**NEW, "description": "Old"}))
        take(sue, sheet({"sku": "CUP-1", "brand": "", "attributes": "", "description": ""}))
        cup = Product.objects.get()
        assert (cup.brand, cup.attributes, cup.description) == (None, {}, "")

    def test_takes_its_own_export_and_changes_nothing(self, sue: Client) -> None:
        take(sue, sheet(NEW, {**NEW, "sku": "CUP-2"}))
        make_variant("PAN", on_hand=2)
        Product.objects.filter(slug="pan").update(
            name="=cmd|'/C calc'!A0", description="-- sale --\r\nnow"
        )
        for file_format, name in ((formats.CSVFile, "a.csv"), (formats.XLSXFile, "a.xlsx")):
            page = upload(sue, export(sue, file_format).content, name=name)
            assert page.context["problems"] == []
            assert page.context["totals"]["skip"] == 3

    def test_reads_what_a_spreadsheet_program_writes(self, sue: Client) -> None:
        make_variant("MUG")
        take(sue, "\ufeffSKU;Price\r\nMUG;7,5\r\n;\r\n".encode())
        assert Variant.objects.get().price == Decimal("7.50")
        rows: list[list[Any]] = [["sku", "price", "active", "variant"]]
        rows += [["MUG", 8.25, False, 42.0], [None, None]]
        take(sue, workbook(*rows), name="prices.xlsx")
        mug = Variant.objects.get()
        assert (mug.price, mug.is_active, mug.name) == (Decimal("8.25"), False, "42")

    def test_writes_the_history_of_what_it_touched(self, sue: Client) -> None:
        make_variant("MUG")
        take(sue, sheet({"sku": "MUG", "price": "1", "name": "Mug!"}), name="prices.csv")
        entries = LogEntry.objects.order_by("pk")
        assert [entry.object_repr for entry in entries] == ["Mug!", "MUG"]
        assert {entry.get_change_message() for entry in entries} == {
            "Changed by an import: prices.csv."
        }

    def test_takes_as_many_statements_for_many_rows_as_for_few(self, sue: Client) -> None:
        def statements(count: int) -> int:
            rows = [
                {**NEW, "sku": f"{count}-{n}", "product": f"p{count}"} for n in range(count)
            ]
            page = upload(sue, sheet(*rows))
            with counted() as found:
                confirm(sue, page)
            return len(found)

        statements(1)  # makes the category
        assert statements(40) == statements(2)


class TestProblems:
    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ({"sku": "X"}, "Row 2: name: a new product needs one."),
            ({**NEW, "price": ""}, "Row 2: price: “” is not an amount such as 9.50."),
            ({**NEW, "price": "-1"}, "Row 2: price: “-1” is not an amount such as 9.50."),
            ({**NEW, "price": "1e9"}, "Row 2: price: “1e9” is not an amount such as 9.50."),
            ({**NEW, "sku": ""}, "Row 2: sku: SKU '' is empty, too long or has blanks"),
            ({**NEW, "name": ""}, "Row 2: name: is empty."),
            ({**NEW, "name": "x" * 201}, "Row 2: name: is longer than 200 characters."),
            ({**NEW, "product": "1984"}, "Row 2: product: is not an address: letters, digits"),
            ({**NEW, "product": "a b"}, "Row 2: product: is not an address: letters, digits"),
            ({**NEW, "category": "A > > B"}, "Row 2: category: is empty."),
            ({**NEW, "attributes": "Red"}, "Row 2: attributes: Line 1 is not “Name: value”"),
            (
                {**NEW, "published": "maybe"},
                "Row 2: published: “maybe” is neither yes nor no.",
            ),
            ({**NEW, "brand": "x" * 101}, "Row 2: brand: is longer than 100 characters."),
            ({**NEW, "prcie": "1"}, "Unknown column: prcie. There are sku, product, name"),
        ],
    )
    def test_are_named_with_the_row_and_nothing_is_imported(
        self, sue: Client, row: dict[str, str], problem: str
    ) -> None:
        assert problems(sue, sheet(row))[0].startswith(problem)
        assert not Product.objects.exists()

    def test_count_rows_as_a_spreadsheet_does(self, sue: Client) -> None:
        rows = b'sku,description,price\n\nMUG,"two\nlines",1\nPAN,one,x\n'
        make_variant("MUG")
        make_variant("PAN")
        assert problems(sue, rows) == ["Row 4: price: “x” is not an amount such as 9.50."]

    def test_one_bad_line_keeps_all_others_out(self, sue: Client) -> None:
        assert problems(sue, sheet(NEW, {**NEW, "sku": "CUP-2", "price": "x"}))
        assert not Product.objects.exists()

    def test_rows_that_contradict_each_other(self, sue: Client) -> None:
        rows = [NEW, {**NEW, "sku": "CUP-2", "name": "Beaker"}, NEW]
        assert problems(sue, sheet(*rows)) == [
            "Row 3: name: row 2 says something else of this product.",
            "Row 4: sku: CUP-1 was in row 2 already.",
        ]

    def test_a_variant_that_would_move_to_another_product(self, sue: Client) -> None:
        make_variant("MUG")
        make_variant("PAN")
        found = problems(sue, sheet({"sku": "MUG", "product": "pan"}))
        assert found == ["Row 2: product: MUG belongs to “mug” and cannot be moved."]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"sku,price\nMUG,\xe9\n", "The file is not in UTF-8."),
            (b"", "The submitted file is empty."),
            (b"\n", "The first row has to name the columns"),
            (b"sku,,price\nMUG,,1\n", "The first row has to name the columns"),
            (b"sku,SKU\nMUG,MUG\n", "A column is there twice."),
            (b"sku\nMUG,1\n", "Row 2 has more cells than the first row has names."),
            (b'sku,name\nMUG,"x\n', "Below row 1 this is no CSV: unexpected end of data."),
            (b"sku,name\nMUG," + b"x" * 200_000, "Below row 1 this is no CSV: field larger"),
            (b"sku\n" + b"M\n" * 1_001, "There are more than 1000 rows. Divide the file."),
            (b"PK\x03\x04 but no archive", "The file cannot be read as XLSX."),
            (b"x" * (5 * 2**20 + 1), "More than 5 MB. Divide the file."),
            (b"name\nMug\n", "There is no column sku"),
            (b"sku,price\n", "No valid data to import."),
        ],
    )
    def test_a_file_that_cannot_be_read_is_a_message(
        self, sue: Client, content: bytes, problem: str
    ) -> None:
        assert problem in problems(sue, content)[0]

    def test_an_archive_that_is_no_workbook_or_a_bomb_is_a_message(self, sue: Client) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/sharedStrings.xml", b" " * (101 * 2**20))
        assert problems(sue, out.getvalue()) == ["The file is too large when it is unpacked."]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("readme.txt", b"no workbook")
        assert problems(sue, out.getvalue()) == ["The file cannot be read as XLSX."]


class TestConfirming:
    def test_an_upload_that_is_not_kept_any_longer_is_a_message(self, sue: Client) -> None:
        page = upload(sue, sheet(NEW))
        cache.clear()
        answer = sue.get(confirm(sue, page)["Location"])
        assert "The upload is not kept any longer. Upload the file again." in str(
            answer.content.decode()
        )

    def test_a_cache_that_is_away_is_a_message(self, sue: Client, settings: Any) -> None:
        kept = upload(sue, sheet(NEW))
        default = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
        settings.CACHES = {"default": default}
        assert upload(sue, sheet(NEW)).status_code == 302
        page = sue.get(confirm(sue, kept)["Location"]).content.decode()
        assert "The upload cannot be kept: the cache is away." in page
        assert "The upload cannot be read: the cache is away." in page
        assert not Product.objects.exists()

    @pytest.mark.parametrize("field", ["import_file_name", "format", "resource"])
    def test_a_form_that_was_tampered_with_is_a_message(self, sue: Client, field: str) -> None:
        form = upload(sue, sheet(NEW)).context["confirm_form"].initial
        url = reverse("admin:catalog_product_process_import")
        answer = sue.post(url, {**form, field: "../../etc/passwd"})
        assert answer.status_code == 302
        assert Product.objects.count() in (0, 1)

    def test_a_shop_that_has_changed_meanwhile_is_a_message(self, sue: Client) -> None:
        page = upload(sue, sheet(NEW))
        make_variant("CUP-1")
        answer = sue.get(confirm(sue, page)["Location"])
        assert "The shop has changed: Row 2: product: CUP-1 belongs to" in (
            answer.content.decode()
        )
        assert Product.objects.get().name == "Cup-1"

    def test_a_second_click_changes_nothing(self, sue: Client) -> None:
        page = upload(sue, sheet(NEW))
        confirm(sue, page)
        confirm(sue, page)
        assert Product.objects.count() == Variant.objects.count() == 1


class TestExport:
    def test_has_a_row_for_every_variant_with_its_stock(self, sue: Client) -> None:
        take(sue, sheet(NEW))
        make_variant("PAN", on_hand=2)
        cup, pan = exported(sue)
        assert cup == {
            **NEW,
            "description": "",
            "attributes": "Colour: Red\nColour: Blue",
            "published": "yes",
            "variant": "",
            "active": "yes",
            "on_hand": "0",
            "available": "0",
        }
        assert (pan["sku"], pan["on_hand"], pan["brand"]) == ("PAN", "2", "")

    def test_holds_what_the_list_shows(self, sue: Client) -> None:
        make_variant("MUG")
        make_variant("PAN")
        assert [row["sku"] for row in exported(sue, q="mug")] == ["MUG"]

    @pytest.mark.parametrize("file_format", formats.FORMATS)
    def test_holds_no_formula(self, sue: Client, file_format: type[Any]) -> None:
        make_variant("MUG")
        Variant.objects.update(sku="=1+1")
        Product.objects.update(name="@SUM(A1)", description="+1", attributes={"-a": ["b"]})
        content = export(sue, file_format).content
        if file_format is formats.CSVFile:
            row = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
            cells = list(row.values())
        else:
            values = list(openpyxl.load_workbook(io.BytesIO(content)).active.values)
            cells = [str(cell or "") for cell in values[1]]
        for text in ("'=1+1", "'@SUM(A1)", "'+1", "'-a: b"):
            assert text in cells
        assert not [cell for cell in cells if cell[:1] in "=+-@" and cell]

    def test_takes_as_many_statements_for_many_products_as_for_few(self, sue: Client) -> None:
        def statements() -> int:
            with counted() as found:
                export(sue, formats.CSVFile)
            return len(found)

        make_variant("A1")
        few = statements()
        for n in range(20):
            make_variant(f"B{n}")
        assert statements() == few

    def test_offers_csv_and_xlsx_and_nothing_else(self, sue: Client) -> None:
        page = sue.get(reverse("admin:catalog_product_export"))
        choices = page.context["form"].fields["format"].choices
        assert [label for value, label in choices if value] == ["csv", "xlsx"]


class TestPermissions:
    CODENAMES = ("add_product", "change_product", "add_variant", "change_variant")

    def staff(self, client: Client, *codenames: str) -> None:
        user = make_user("eve@example.com", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)

    def test_who_may_not_add_products_may_not_import(self, client: Client) -> None:
        self.staff(client, "view_product", *self.CODENAMES[1:])
        assert upload(client, sheet(NEW)).status_code == 403
        assert client.post(reverse("admin:catalog_product_process_import")).status_code == 403
        page = client.get(reverse("admin:catalog_product_changelist")).content.decode()
        assert reverse(IMPORT) not in page

    def test_who_may_not_see_variants_may_not_export(self, client: Client) -> None:
        self.staff(client, "view_product")
        assert client.get(reverse("admin:catalog_product_export")).status_code == 403

    def test_who_may_not_add_categories_and_brands_is_told(self, client: Client) -> None:
        self.staff(client, *self.CODENAMES)
        assert problems(client, sheet(NEW)) == [
            "Row 2: category: there is none of this name, and you may not add one.",
            "Row 2: brand: there is none of this name, and you may not add one.",
        ]

    def test_a_stranger_sees_nothing(self, client: Client) -> None:
        assert "/login/" in upload(client, sheet(NEW))["Location"]


@given(st.text(max_size=8))
def test_what_is_escaped_comes_back(text: str) -> None:
    plain = text.replace("\r\n", "\n").strip()
    assert cell_text(escaped(plain)) == plain
