"""What an invariant is made of: SQL that counts what it covers and finds what breaks it.

The SQL states the promise once more, in its own words, and not with the code that keeps it:
code that is wrong in both places would agree with itself.

Every text may use the parameters `cutoff` (what is older had its time), and of the one order
that is asked for, else NULL: `order`, `reference`, `variants`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Guards:
    """The database's own rules that an invariant rests on."""

    checks: Sequence[str] = ()  # names of constraints
    uniques: Mapping[str, str] = field(default_factory=dict)  # index -> its definition
    append_only: Sequence[str] = ()  # tables

    def parameters(self) -> dict[str, Any]:
        return {
            "checks": list(self.checks),
            "uniques": list(self.uniques),
            "definitions": list(self.uniques.values()),
            "append_only": list(self.append_only),
        }


# A trigger's type 27: for each row, before UPDATE or DELETE. Enabled "O": in every session
# that is not itself a replication's. A check that is NOT VALID may already be broken.
GUARDS_MISSING = """
    SELECT name, 'the constraint is missing or not validated'
    FROM unnest(%(checks)s::text[]) AS rule (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint WHERE conname = name AND contype = 'c' AND convalidated
    )
    UNION ALL
    SELECT name, 'the unique index is missing, invalid or another one'
    FROM unnest(%(uniques)s::text[], %(definitions)s::text[]) AS rule (name, definition)
    WHERE NOT EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass(name) AND indisunique AND indisvalid
          AND split_part(pg_get_indexdef(indexrelid), ' USING ', 2) = definition
    )
    UNION ALL
    SELECT name, 'the trigger append_only is missing or disabled'
    FROM unnest(%(append_only)s::text[]) AS rule (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = to_regclass(name) AND tgname = 'append_only'
          AND tgtype = 27 AND tgenabled IN ('O', 'A')
    )
"""


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """One line of the audit.

    `figures` gives one row: each column is a number with its name in the plural. `violations`
    gives rows of subject (a SKU, an order's number) and problem; none of them may hold
    anything about a person. Both may read `facts`, which are named queries.
    """

    code: str
    title: str
    figures: str
    violations: str
    facts: Mapping[str, str] = field(default_factory=dict)
    guards: Guards = Guards()
    parameters: Mapping[str, Any] = field(default_factory=dict)
