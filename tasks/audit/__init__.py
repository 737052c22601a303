def run_audit(*, now, grace): return []
