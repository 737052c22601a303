"""The audit that nobody has to think of."""

import logging
from datetime import datetime

from tasks.audit.run import run_audit
from tasks.models import AUDIT, Heartbeat

log = logging.getLogger(__name__)


def nightly_audit(*, now: datetime) -> str:
    """Audit all of the shop, log each violated invariant, leave a heartbeat; the verdict."""
    findings = run_audit(now=now)
    violated = [finding for finding in findings if finding.violations]
    for finding in violated:
        log.error(
            "audit: %s %s is violated %d times, first by %s",
            finding.code,
            finding.title,
            finding.violations,
            finding.samples[0],
        )
    codes = [finding.code for finding in violated]
    facts = {
        "violations": sum(finding.violations for finding in violated),
        "codes": codes,
        "took_ms": round(1000 * sum(finding.seconds for finding in findings)),
    }
    Heartbeat.objects.beat(AUDIT, facts=facts, now=now)
    return f"violated: {', '.join(codes)}" if codes else f"{len(findings)} invariants hold"
