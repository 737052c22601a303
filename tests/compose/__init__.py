"""The shop in containers, tried from outside: `python -m tests.compose`."""
