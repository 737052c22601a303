"""Invented lines of suppliers' files."""

from typing import Any


def icecat_line(number: int = 1, **fields: Any) -> dict[str, Any]:
    record = {
        "id": str(number),
        "sku": f"ICE-{number}",
        "name": "80",
        "title": f"Acme {number} Original Cyan",
        "description": "A cartridge.<br />Lasts &amp; lasts",
        "brand": "Acme",
        "price_minor": 1295,
        "category_derived": "Printing > Ink Cartridges",
        "attributes": {
            "t_printing_colours": "Black,cyan",
            "t_power": "100 V, 2 A",
            "n_width": 298.45,
            "n_package_weight": 450.0,
            "b_rohs_compliance": True,
            "t_storage_temperature__t_t_": "-40 - 60",
            "n_usb_2_0_ports_quantity": 2.0,
        },
    }
    return {**record, **fields}


def luma_line(sku: str = "MH01", **fields: Any) -> dict[str, Any]:
    record = {
        "sku": sku,
        "type": "configurable",
        "name": "Chip Hoodie",
        "description": "<p>Warm &bull; soft.</p><ul><li>Wash cold</li></ul>",
        "categories": ["Men > Tops > Hoodies", "Collections > Eco"],
        "price": "52",
        "attributes": {"material": "Wool|Fleece", "new": "Yes", "style_bottom": "Slim"},
        "variants": [
            {
                "sku": f"{sku}-{size}-{color}",
                "options": {"size": size, "color": color},
                "price": "52" if size == "S" else "54.50",
                "qty": "100",
            }
            for size in ("S", "M")
            for color in ("Red", "Blue")
        ],
    }
    return {**record, **fields}


def bag_line(**fields: Any) -> dict[str, Any]:
    """A product on its own, as a Luma file has it."""
    record = {
        "sku": "BAG-1",
        "type": "simple",
        "name": "Duffle Bag",
        "description": None,
        "categories": ["Gear", "Bags", "Collections", "Eco"],
        "price": "34",
        "qty": "7",
        "attributes": {"activity": ["Gym", "Travel"], "visibility": ["4"]},
        "variants": [],
    }
    return {**record, **fields}
