"""The routes of the coordinators' API."""

from __future__ import annotations

from django.urls import path

from ratings.desk import (
    amending,
    cases,
    checks,
    choosing,
    colleagues,
    comparison,
    conflicts,
    corrections,
    material,
    monitor,
    originals,
    people,
    planning,
    power,
    rater,
    results,
    states,
    studies,
    transfers,
)
from ratings.desk.schema import SchemaView

ONE = "studies/<uuid:study_id>"

urlpatterns = [
    path("schema", SchemaView.as_view(), name="api-schema"),
    path("studies", studies.StudiesCall.as_view(), name="api-studies"),
    path(ONE, studies.StudyCall.as_view(), name="api-study"),
    path(f"{ONE}/uploads", cases.UploadsCall.as_view(), name="api-uploads"),
    path(
        f"{ONE}/uploads/<uuid:upload_id>",
        cases.UploadCall.as_view(), name="api-upload",
    ),
    path(
        f"{ONE}/uploads/<uuid:upload_id>/picture",
        material.UploadPictureCall.as_view(), name="api-upload-picture",
    ),
    path(f"{ONE}/import", cases.ImportCall.as_view(), name="api-import"),
    path(f"{ONE}/cases", cases.CasesCall.as_view(), name="api-cases"),
    path(f"{ONE}/cases/<uuid:case_id>", cases.CaseCall.as_view(), name="api-case"),
    path(
        f"{ONE}/cases/<uuid:case_id>/picture",
        material.CasePictureCall.as_view(), name="api-case-picture",
    ),
    path(
        f"{ONE}/cases/<uuid:case_id>/companions",
        corrections.CompanionsCall.as_view(), name="api-companions",
    ),
    path(
        f"{ONE}/cases/<uuid:case_id>/companions/<slug:kind>",
        corrections.CompanionCall.as_view(), name="api-companion",
    ),
    path(f"{ONE}/strata", corrections.StratumCall.as_view(), name="api-strata"),
    path(f"{ONE}/arms", material.ArmsCall.as_view(), name="api-arms"),
    path(f"{ONE}/arms/<slug:key>", corrections.ArmCall.as_view(), name="api-arm"),
    path("templates", planning.TemplatesCall.as_view(), name="api-templates"),
    path(f"{ONE}/start", planning.StartCall.as_view(), name="api-start"),
    path(f"{ONE}/preview", planning.PreviewCall.as_view(), name="api-preview"),
    path(f"{ONE}/power", power.PowerCall.as_view(), name="api-power"),
    path(f"{ONE}/conflicts", conflicts.ConflictsCall.as_view(), name="api-conflicts"),
    path(f"{ONE}/checklist", checks.ChecklistCall.as_view(), name="api-checklist"),
    path(f"{ONE}/faces", checks.FacesCall.as_view(), name="api-faces"),
    path(
        f"{ONE}/blinding-audit",
        checks.BlindingAuditCall.as_view(), name="api-blinding-audit",
    ),
    path(
        f"{ONE}/separability-audit",
        checks.SeparabilityCall.as_view(), name="api-separability",
    ),
    path(f"{ONE}/transfers", transfers.TransfersCall.as_view(), name="api-transfers"),
    path(
        f"{ONE}/transfers/<uuid:transfer_id>",
        transfers.TransferCall.as_view(), name="api-transfer",
    ),
    path(
        f"{ONE}/transfers/<uuid:transfer_id>/finish",
        transfers.FinishCall.as_view(), name="api-transfer-finish",
    ),
    path(
        f"{ONE}/transfers/<uuid:transfer_id>/take",
        transfers.TakeCall.as_view(), name="api-transfer-take",
    ),
    path(f"{ONE}/originals", originals.OriginalsCall.as_view(), name="api-originals"),
    path(
        f"{ONE}/originals/erase",
        originals.EraseCall.as_view(), name="api-originals-erase",
    ),
    path(
        f"{ONE}/originals/<uuid:original_id>",
        originals.OriginalCall.as_view(), name="api-original",
    ),
    path(f"{ONE}/choice", choosing.ChoiceCall.as_view(), name="api-choice"),
    path(f"{ONE}/draw", choosing.DrawCall.as_view(), name="api-draw"),
    path(f"{ONE}/leave-out", choosing.LeaveOutCall.as_view(), name="api-leave-out"),
    path(f"{ONE}/take-in", choosing.TakeInCall.as_view(), name="api-take-in"),
    path(f"{ONE}/amendments", amending.AmendmentsCall.as_view(), name="api-amendments"),
    path(f"{ONE}/protocol", amending.ProtocolCall.as_view(), name="api-protocol"),
    path(
        f"{ONE}/colleagues",
        colleagues.ColleaguesCall.as_view(), name="api-colleagues",
    ),
    path(
        f"{ONE}/colleagues/<uuid:member_id>",
        colleagues.ColleagueCall.as_view(), name="api-colleague",
    ),
    path(
        f"{ONE}/colleagues/<uuid:member_id>/invitation",
        colleagues.ColleagueLinkCall.as_view(), name="api-colleague-link",
    ),
    path(f"{ONE}/late-raters", people.LateRatersCall.as_view(), name="api-late-raters"),
    path(f"{ONE}/raters", people.RatersCall.as_view(), name="api-raters"),
    path(f"{ONE}/reminders", rater.RemindersCall.as_view(), name="api-reminders"),
    path(f"{ONE}/raters/<uuid:rater_id>", rater.RaterCall.as_view(), name="api-rater"),
    path(
        f"{ONE}/raters/<uuid:rater_id>/declaration",
        rater.DeclarationCall.as_view(), name="api-declaration",
    ),
    path(
        f"{ONE}/raters/<uuid:rater_id>/invitation",
        rater.InvitationCall.as_view(), name="api-invitation",
    ),
    path(
        f"{ONE}/raters/<uuid:rater_id>/password",
        rater.PasswordCall.as_view(), name="api-rater-password",
    ),
    path(
        f"{ONE}/raters/<uuid:rater_id>/reminder",
        rater.ReminderCall.as_view(), name="api-reminder",
    ),
    path(
        f"{ONE}/raters/<uuid:rater_id>/withdrawal",
        rater.LeavingCall.as_view(), name="api-rater-withdrawal",
    ),
    path(
        f"{ONE}/raters/<uuid:rater_id>/replacement",
        rater.ReplacementCall.as_view(), name="api-replacement",
    ),
    path(
        f"{ONE}/raters/<uuid:rater_id>/erasure",
        people.ErasureCall.as_view(), name="api-erasure",
    ),
    path(f"{ONE}/lock", states.LockCall.as_view(), name="api-lock"),
    path(f"{ONE}/open", states.OpenCall.as_view(), name="api-open"),
    path(f"{ONE}/withdraw", states.WithdrawCall.as_view(), name="api-withdraw"),
    path(f"{ONE}/close", states.CloseCall.as_view(), name="api-close"),
    path(f"{ONE}/unblind", states.UnblindCall.as_view(), name="api-unblind"),
    path(f"{ONE}/break-glass", states.BreakCall.as_view(), name="api-break-glass"),
    path(f"{ONE}/progress", monitor.ProgressCall.as_view(), name="api-progress"),
    path(f"{ONE}/questions", monitor.QuestionsCall.as_view(), name="api-questions"),
    path(
        f"{ONE}/questions/<int:question_id>/answers",
        monitor.AnswersCall.as_view(), name="api-answers",
    ),
    path(f"{ONE}/deadline", monitor.DeadlineCall.as_view(), name="api-deadline"),
    path(f"{ONE}/conduct", monitor.ConductCall.as_view(), name="api-conduct"),
    path(
        f"{ONE}/withdrawals",
        monitor.WithdrawalsCall.as_view(), name="api-withdrawals",
    ),
    path(f"{ONE}/practice", monitor.PracticeCall.as_view(), name="api-practice"),
    path(f"{ONE}/jobs", results.JobsCall.as_view(), name="api-jobs"),
    path(f"{ONE}/jobs/<uuid:job_id>", results.JobCall.as_view(), name="api-job"),
    path(f"{ONE}/results", results.ResultsCall.as_view(), name="api-results"),
    path(f"{ONE}/results/again", results.AgainCall.as_view(), name="api-results-again"),
    path(
        f"{ONE}/results/<int:run_id>/<slug:name>.<str:kind>",
        results.FigureCall.as_view(), name="api-figure",
    ),
    path(
        f"{ONE}/comparison",
        comparison.ComparisonCall.as_view(), name="api-comparison",
    ),
    path(
        f"{ONE}/comparison/again",
        comparison.MeasureCall.as_view(), name="api-comparison-again",
    ),
    path(
        f"{ONE}/comparison/<slug:name>.<str:kind>",
        comparison.ComparisonFileCall.as_view(), name="api-comparison-file",
    ),
    path(
        f"{ONE}/robustness",
        comparison.RobustnessCall.as_view(), name="api-robustness",
    ),
    path(
        f"{ONE}/robustness/coarser",
        comparison.CoarserCall.as_view(), name="api-robustness-coarser",
    ),
    path(
        f"{ONE}/robustness/<slug:name>.<str:kind>",
        comparison.RobustnessFileCall.as_view(), name="api-robustness-file",
    ),
    path(f"{ONE}/export", results.ExportCall.as_view(), name="api-export"),
]  # fmt: skip
