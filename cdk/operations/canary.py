"""The synthetic buyer (functions/platform/canary.py), missed when it got no ticket twice, or has not tried."""

from cdk.alarms import MISSING_IS_BAD, Alarms, ours

STEPS = ("sign_in", "reserve", "purchase", "paid", "mailed")


def watch(alarms: Alarms) -> None:
    """Where the stage has one."""
    if not alarms.stage.canary:
        return
    alarms.on(
        "CanaryFails",
        ours(alarms.stage, "CanarySucceeded", "Sum", 5, service="platform"),
        "The synthetic buyer has not got its free ticket twice in a row, or has not tried.",
        page="canary",
        below=True,
        periods=2,
        missing=MISSING_IS_BAD,
    )
