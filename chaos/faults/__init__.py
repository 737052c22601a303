"""A Django app that makes processes die at chosen points; only chaos/settings.py has it."""
