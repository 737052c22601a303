"""Attributes of a product, as `Product.attributes` keeps them: names with lists of texts.

People write them one a line, `Colour: Red`, and a name with several values several times.
"""

from collections.abc import Iterator

from apps.catalog.plain_text import one_line

# Beyond these it is a mistake, or a description.
MOST_NAMES = 300
MOST_VALUES = 300  # of one name
LONGEST_NAME = 100
LONGEST_VALUE = 200

Attributes = dict[str, list[str]]


class BadAttributes(Exception):
    """What is wrong, a sentence each, in `problems`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def as_text(attributes: Attributes) -> str:
    """One `Name: value` a line, in the order that names have in the alphabet."""
    return "\n".join(
        f"{name}: {value}" for name, values in sorted(attributes.items()) for value in values
    )


def from_text(text: str) -> Attributes:
    """The attributes that `as_text` has written, or a person; raises BadAttributes."""
    found: Attributes = {}
    wrong = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, value = (one_line(part) for part in line.partition(":"))
        if name and colon and value:
            values = found.setdefault(name, [])
            values += [] if value in values else [value]
        elif name or colon:
            wrong.append(f"Line {number} is not “Name: value”: “{one_line(line)[:60]}”.")
    wrong += problems(found)
    if wrong:
        raise BadAttributes(wrong)
    return found


def problems(attributes: Attributes) -> Iterator[str]:
    """Each thing that is too much of it, as a sentence."""
    if len(attributes) > MOST_NAMES:
        yield f"{len(attributes)} attributes are more than {MOST_NAMES}."
    for name, values in attributes.items():
        if len(name) > LONGEST_NAME:
            yield f"The name “{name[:40]}…” is longer than {LONGEST_NAME} characters."
        if len(values) > MOST_VALUES:
            yield f"“{name[:40]}” has {len(values)} values, more than {MOST_VALUES}."
        for value in values:
            if len(value) > LONGEST_VALUE:
                yield f"“{name[:40]}: {value[:40]}…” is longer than {LONGEST_VALUE} characters."
