"""The rows of the fault matrix, each a function that breaks one thing in one trial."""

from chaos.rows import (
    broker,
    buyers,
    database,
    mail,
    messages,
    network,
    relay,
    search,
    standby,
    web,
    workers,
)
from chaos.rows.row import Row

_MODULES = (
    web, broker, relay, workers, messages, database, standby, network, search, mail, buyers,
)  # fmt: skip

ROWS: dict[int, Row] = {
    row.number: row
    for row in sorted(
        (
            value
            for module in _MODULES
            for value in vars(module).values()
            if isinstance(value, Row)
        ),
        key=lambda row: row.number,
    )
}
