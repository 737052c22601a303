"""Files that tests write."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_file(path: Path, records: Iterable[Any], *, packed: bool = False) -> Path:
    """The records as JSON lines; a text stands for a line that is none."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return path
