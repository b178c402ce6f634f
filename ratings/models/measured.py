"""What was measured of the arms' masks, kept by the content that it follows from."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ratings.models.material import Arm, Case
from ratings.models.study import Study


class MaskComparison(models.Model):
    """One case's mask of an arm against that of a reference arm, by every rule.

    `key` is the digest of both masks and of the version that measured them;
    `results` holds what each rule says, the surface distances and volumes.
    """

    case = models.ForeignKey(
        Case, on_delete=models.CASCADE, related_name="mask_comparisons"
    )
    arm = models.ForeignKey(
        Arm, on_delete=models.CASCADE, related_name="mask_comparisons"
    )
    reference = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    results = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "arm", "reference"), name="mask_comparison_once"
            ),
        )


class SeparabilityAudit(models.Model):
    """How well simple features of the masks tell the arms apart; `key` names them."""

    study = models.ForeignKey(
        Study, on_delete=models.CASCADE, related_name="separability_audits"
    )
    key = models.CharField(max_length=64)
    results = models.JSONField(default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
