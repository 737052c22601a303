"""The shop in a container: what it runs, and how it is asked whether it is well."""
