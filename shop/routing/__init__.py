"""Which database a read goes to: the rules are in scope.py, the reasons and the night's
decisions in DATABASE_ROUTING_STRATEGY.md.

A model is read from a standby only if it says `REPLICA_OK = True`, and only inside a scope
that allows it: a GET, `replica_reads()`, or a task that asks for it.
"""
