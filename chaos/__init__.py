"""The fault suite: kills, freezes and cuts off every part of the shop while it sells.

    python -m chaos [--row 7] [--orders 1000] [--seed 42]

Real processes and servers under var/chaos, load from several clients, an audit after every
trial. Nothing of the shop imports this package.
"""
