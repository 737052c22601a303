"""Triggers that see all rows that a statement has changed, before and after."""


def create(name: str, table: str, *, function: str) -> str:
    """Three of them, for what is new, changed and deleted."""
    call = f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();"
    return f"""
CREATE TRIGGER {name}_new AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS after {call}
CREATE TRIGGER {name}_changed AFTER UPDATE ON {table}
    REFERENCING OLD TABLE AS before NEW TABLE AS after {call}
CREATE TRIGGER {name}_deleted AFTER DELETE ON {table}
    REFERENCING OLD TABLE AS before {call}
"""


def drop(name: str, table: str) -> str:
    return "".join(
        f"DROP TRIGGER {name}_{what} ON {table};\n" for what in ("new", "changed", "deleted")
    )
