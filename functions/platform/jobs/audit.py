"""Every hour, or by hand: report every breach of the invariants of money, tickets, stock, mails, time and histories."""

from typing import Any

from functions.platform.audit import auditing, gateways
from functions.platform.audit.findings import Scope
from shared import metrics
from shared.clock import now
from shared.log import begin, invocation_id, logger

log = logger("platform")


def run(given: dict[str, Any], ask: gateways.Ask) -> dict[str, Any]:
    """Audit, and answer `{"findings": [...], "checked": {...}}`.

    Args:
        given: `atRestSeconds` and `windowDays` in place of the settings. A run with an `atRestSeconds` of its own may
            find what is only under way, and so it is no measure of the system: it writes no metric.
        ask: has payments read a provider.
    """
    report = auditing.audit(Scope.of(given, now()), ask)
    for finding in report.findings:
        log.error("an invariant is broken", extra=finding.told())
    log.info(
        "audited",
        extra={"checked": report.checked, "complete": report.complete, "count": report.findings.count},
    )
    if "atRestSeconds" not in given:
        metrics.count("platform", "AuditFindings", report.findings.count)
        # One that could not read everything does not count: that nobody looked is worth an alarm, too.
        metrics.count("platform", "AuditRuns", int(report.complete))
    return report.told()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """See `run`."""
    begin(log, invocation_id(context))
    return run(event or {}, gateways.invoke)
