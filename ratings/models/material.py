"""What is rated: uploads in quarantine, cases, arms and masks."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from ratings.models.study import Study


class Upload(models.Model):
    """A file in quarantine: received and judged, not yet part of a case."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        MASK = "mask"
        SECOND = "second", "second series"
        CORD = "cord", "cord mask"
        LEVELS = "levels", "vertebral levels"
        SOFT = "soft", "soft map"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=8, choices=Kind)
    path = models.CharField(max_length=255, blank=True)
    size = models.BigIntegerField(default=0)
    verdict = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)


class Transfer(models.Model):
    """A file on its way in, piece by piece; what lies on the disk is its offset."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="transfers")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    # the digest that was found to be right, once all bytes were here
    sha256 = models.CharField(max_length=64, blank=True)
    origin = models.JSONField(default=dict, blank=True)
    touched_at = models.DateTimeField(auto_now=True)

    @property
    def path(self) -> str:
        return f"quarantine/{self.pk}.part"


class Case(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="cases")
    label = models.CharField(max_length=20)
    source_name = models.CharField(max_length=255, blank=True)
    # the person's code, such as sub-07: two cases of one person are not independent
    subject = models.CharField(max_length=80, blank=True)
    # the allowed fields of its sidecar, such as echo time
    sidecar = models.JSONField(default=dict, blank=True)
    strata = models.JSONField(default=dict, blank=True)
    image_path = models.CharField(max_length=255)
    image_sha256 = models.CharField(max_length=64)
    geometry = models.JSONField(default=dict)
    warnings = models.JSONField(default=list, blank=True)
    # why the case is not among those that are rated; empty for those that are
    left_out = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("label",)
        constraints = (
            models.UniqueConstraint(fields=("study", "label"), name="case_label"),
        )

    def __str__(self) -> str:
        return self.label

    def find_companion(self, kind: str) -> Companion | None:
        # all of them at once, so that a page of cases can fetch them beforehand
        return next((c for c in self.companions.all() if c.kind == kind), None)


class Companion(models.Model):
    """A further map of a case; only the second series can ever reach a rater."""

    class Kind(models.TextChoices):
        SECOND = "second", "second series"
        CORD = "cord", "cord mask"
        LEVELS = "levels", "vertebral levels"
        SOFT = "soft", "soft map"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="companions")
    kind = models.CharField(max_length=8, choices=Kind)
    path = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    source_name = models.CharField(max_length=255, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("kind",)
        constraints = (
            models.UniqueConstraint(fields=("case", "kind"), name="companion_kind"),
        )


class Arm(models.Model):
    class Kind(models.TextChoices):
        MANUAL = "manual", "manual masks"
        MODEL = "model", "ensemble"
        TOOL = "tool", "external tool"
        UPLOAD = "upload", "uploaded predictions"
        CONTROL = "control", "control"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="arms")
    key = models.SlugField(max_length=40)
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=Kind)
    source = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("study", "key"), name="arm_key"),
        )

    def __str__(self) -> str:
        return self.label


class Mask(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="masks")
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="masks")
    path = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    voxels = models.BigIntegerField()
    volume_mm3 = models.FloatField()
    source_name = models.CharField(max_length=255, blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "arm"), name="mask_case_arm"),
        )


class Original(models.Model):
    """A file as it was uploaded, kept only where the study asks for it; no name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="originals")
    # where it waits for import, and afterwards the case that it is a part of
    upload = models.ForeignKey(
        Upload, on_delete=models.CASCADE, null=True, related_name="originals"
    )
    case = models.ForeignKey(
        Case, on_delete=models.CASCADE, null=True, related_name="originals"
    )
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Upload.Kind)
    # two cases that share a mask share its file
    path = models.CharField(max_length=255, db_index=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("case__label", "kind", "pk")
