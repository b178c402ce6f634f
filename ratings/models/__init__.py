"""The tables of a study and the constraints that hold in them; no I/O."""

from __future__ import annotations

from ratings.models.freezing import (
    ProtocolVersion,
    Signature,
    Unblinding,
    Withdrawal,
)
from ratings.models.material import (
    Arm,
    Case,
    Companion,
    Mask,
    Original,
    Transfer,
    Upload,
)
from ratings.models.measured import MaskComparison, SeparabilityAudit
from ratings.models.moved import ScoreImport
from ratings.models.people import (
    AccessToken,
    Enrolment,
    Invitation,
)
from ratings.models.record import (
    AccessEntry,
    AuditEntry,
    ExactIntegerField,
    Guess,
    Problem,
    Reply,
    Score,
    ViewLog,
)
from ratings.models.schedule import (
    Item,
    Presentation,
    Session,
    make_token,
)
from ratings.models.study import (
    Study,
    default_anchors,
    default_design,
    default_questions,
    make_seed,
)
from ratings.models.work import (
    AnalysisRun,
    Job,
    WorkerBeat,
)

__all__ = [
    "AccessEntry",
    "AccessToken",
    "AnalysisRun",
    "Arm",
    "AuditEntry",
    "Case",
    "Companion",
    "Enrolment",
    "ExactIntegerField",
    "Guess",
    "Invitation",
    "Item",
    "Job",
    "Mask",
    "MaskComparison",
    "Original",
    "Presentation",
    "Problem",
    "ProtocolVersion",
    "Reply",
    "Score",
    "ScoreImport",
    "SeparabilityAudit",
    "Session",
    "Signature",
    "Study",
    "Transfer",
    "Unblinding",
    "Upload",
    "ViewLog",
    "Withdrawal",
    "WorkerBeat",
    "default_anchors",
    "default_design",
    "default_questions",
    "make_seed",
    "make_token",
]
