"""What tells a standby's reader how old its data are."""

from django.db import models


class PrimaryHeartbeat(models.Model):
    """One row with the primary's time, written every second and read on the standbys.

    What PostgreSQL itself says of a standby's lag is wrong where it matters: one that is cut
    off has replayed all that it received, and so calls itself up to date for ever.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=1), name="one_heartbeat_of_the_primary"
            )
        ]

    def __str__(self) -> str:
        return f"primary at {self.at}"
