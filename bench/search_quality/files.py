"""The folder of products and judgements."""

from pathlib import Path

from shop.json_lines import json_object, numbered_lines


class Files:
    """What the folder holds; raises OSError if it is not all there."""

    def __init__(self, data: Path) -> None:
        self.products = data / "products.jsonl.gz"
        found = sorted(data.glob("judgements*.csv"))
        if not self.products.exists() or len(found) != 1:
            raise OSError(f"{data} has no products.jsonl.gz, or not one judgements*.csv.")
        self.judgements = found[0]

    def names(self) -> dict[str, str]:
        """How the judgements name a product, by its SKU."""
        records = (json_object(line) for _, line in numbered_lines(self.products))
        return {record["sku"]: record["id"] for record in records}
