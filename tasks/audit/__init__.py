"""The audit: what must be true of the shop at every commit, asked of the database itself."""

from tasks.audit.run import GRACE, Finding, Sample, UnknownOrder, run_audit

__all__ = ["GRACE", "Finding", "Sample", "UnknownOrder", "run_audit"]
