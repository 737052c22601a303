"""An invented catalogue, to look at and to try things on: `manage.py seed_demo`."""
