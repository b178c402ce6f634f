"""The study's routes."""

from __future__ import annotations

from django.urls import include, path

from ratings import api
from ratings.views import (
    amending,
    answering,
    cases,
    choosing,
    comparison,
    conflicts,
    design,
    joining,
    locking,
    looking,
    monitoring,
    moves,
    originals,
    people,
    power,
    rater,
    results,
    robustness,
    studies,
    tokens,
    transfers,
    uploads,
)

MASKS = "studies/<uuid:study_id>/masks/<uuid:case_id>"

urlpatterns = [
    path("", studies.show_home, name="home"),
    path("studies/", studies.lead_home, name="studies"),
    path("studies/<uuid:study_id>/", studies.lead_into, name="study"),
    path("studies/new", studies.create_study, name="study-new"),
    path("moves/new", moves.start_move, name="move-new"),
    path("moves/<uuid:move_id>/", moves.show_move, name="move"),
    path("moves/<uuid:move_id>/report.csv", moves.send_report, name="move-report"),
    path("moves/<uuid:move_id>/discard", moves.discard_move, name="move-discard"),
    path("studies/<uuid:study_id>/moved/", moves.show_moved, name="moved"),
    path("studies/<uuid:study_id>/cases/", cases.show_cases, name="cases"),
    path(
        "studies/<uuid:study_id>/cases/import", cases.import_cases, name="cases-import"
    ),
    path("studies/<uuid:study_id>/cases/choose/", choosing.choose_cases, name="choose"),
    path(
        "studies/<uuid:study_id>/cases/remove", cases.remove_cases, name="cases-remove"
    ),
    path(
        "studies/<uuid:study_id>/cases/stratum",
        cases.change_stratum,
        name="cases-stratum",
    ),
    path(
        "studies/<uuid:study_id>/cases/companion",
        cases.change_companion,
        name="cases-companion",
    ),
    path(
        "studies/<uuid:study_id>/cases/<uuid:case_id>/picture",
        cases.show_picture,
        name="case-picture",
    ),
    path(
        "studies/<uuid:study_id>/arms/<slug:key>/remove",
        cases.remove_arm,
        name="arm-remove",
    ),
    path(
        "studies/<uuid:study_id>/originals/",
        originals.show_originals,
        name="originals",
    ),
    path(
        "studies/<uuid:study_id>/originals/choice",
        originals.choose_originals,
        name="originals-choice",
    ),
    path(
        "studies/<uuid:study_id>/originals/erase",
        originals.erase_originals,
        name="originals-erase",
    ),
    path(
        "studies/<uuid:study_id>/originals/<uuid:original_id>",
        originals.send_original,
        name="original",
    ),
    path("studies/<uuid:study_id>/plan", transfers.plan_set, name="plan"),
    path(
        "studies/<uuid:study_id>/transfers", transfers.begin_transfer, name="transfers"
    ),
    path(
        "studies/<uuid:study_id>/transfers/discard",
        transfers.discard_transfers,
        name="transfers-discard",
    ),
    path(
        "studies/<uuid:study_id>/transfers/<uuid:transfer_id>",
        transfers.move_transfer,
        name="transfer",
    ),
    path(
        "studies/<uuid:study_id>/transfers/<uuid:transfer_id>/finish",
        transfers.finish_transfer,
        name="transfer-finish",
    ),
    path(
        "studies/<uuid:study_id>/transfers/<uuid:transfer_id>/take",
        transfers.take_from_archive,
        name="transfer-take",
    ),
    path("studies/<uuid:study_id>/uploads", uploads.receive_upload, name="uploads"),
    path(
        "studies/<uuid:study_id>/uploads/clear",
        uploads.clear_uploads,
        name="uploads-clear",
    ),
    path(
        "studies/<uuid:study_id>/uploads/<uuid:upload_id>/picture",
        uploads.show_picture,
        name="upload-picture",
    ),
    path(
        "studies/<uuid:study_id>/uploads/<uuid:upload_id>/remove",
        uploads.remove_upload,
        name="upload-remove",
    ),
    path("studies/<uuid:study_id>/design/", design.edit_design, name="design"),
    path(
        "studies/<uuid:study_id>/design/start", design.start_design, name="design-start"
    ),
    path(
        "studies/<uuid:study_id>/design/preview",
        design.preview_design,
        name="design-preview",
    ),
    path("studies/<uuid:study_id>/power/", power.show_power, name="power"),
    path(
        "studies/<uuid:study_id>/power/curve.svg", power.send_curve, name="power-curve"
    ),
    path("studies/<uuid:study_id>/lock/", locking.show_lock, name="lock"),
    path(
        "studies/<uuid:study_id>/lock/audit",
        locking.audit_blinding,
        name="blinding-audit",
    ),
    path(
        "studies/<uuid:study_id>/separability",
        locking.audit_separability,
        name="separability-audit",
    ),
    path("studies/<uuid:study_id>/lock/faces", locking.state_faces, name="faces"),
    path("studies/<uuid:study_id>/lock/open", locking.open_study, name="open"),
    path("studies/<uuid:study_id>/lock/amend", amending.amend_protocol, name="amend"),
    path(
        "studies/<uuid:study_id>/protocol.json",
        locking.send_protocol,
        name="protocol",
    ),
    path(
        "studies/<uuid:study_id>/colleagues",
        people.add_colleague,
        name="colleague-add",
    ),
    path(
        "studies/<uuid:study_id>/raters/masks",
        conflicts.edit_conflicts,
        name="conflicts",
    ),
    path(
        "studies/<uuid:study_id>/colleagues/<uuid:member_id>/remove",
        people.remove_colleague,
        name="colleague-remove",
    ),
    path("about-me/<uuid:rater_id>", rater.declare, name="declaration"),
    path("studies/<uuid:study_id>/raters/", people.show_raters, name="raters"),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/link",
        rater.make_link,
        name="rater-link",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/revoke",
        rater.revoke_link,
        name="rater-revoke",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/",
        rater.show_rater,
        name="rater",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/remind",
        rater.remind,
        name="rater-remind",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/deadline",
        rater.change_deadline,
        name="rater-deadline",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/withdraw",
        rater.withdraw_rater,
        name="rater-withdraw",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/replace",
        rater.replace_rater,
        name="rater-replace",
    ),
    path("studies/<uuid:study_id>/deadline", people.change_deadline, name="deadline"),
    path("studies/<uuid:study_id>/remind", people.remind_all, name="remind"),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/erase",
        rater.erase_rater,
        name="rater-erase",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/reset",
        rater.reset_password,
        name="rater-reset",
    ),
    path(
        "studies/<uuid:study_id>/raters/<uuid:rater_id>/remove",
        rater.remove_rater,
        name="rater-remove",
    ),
    path("studies/<uuid:study_id>/monitor/", monitoring.show_monitor, name="monitor"),
    path(
        "studies/<uuid:study_id>/monitor/progress",
        monitoring.show_progress,
        name="monitor-progress",
    ),
    path(
        "studies/<uuid:study_id>/monitor/questions/<int:question_id>",
        answering.answer_rater,
        name="answer",
    ),
    path(
        "studies/<uuid:study_id>/monitor/conduct.csv",
        answering.send_conduct,
        name="conduct",
    ),
    path("studies/<uuid:study_id>/withdraw", monitoring.withdraw_case, name="withdraw"),
    path("studies/<uuid:study_id>/close", monitoring.close_study, name="close"),
    path("studies/<uuid:study_id>/unblind", monitoring.unblind_study, name="unblind"),
    path(
        "studies/<uuid:study_id>/unblind/early",
        monitoring.break_glass,
        name="break-glass",
    ),
    path("studies/<uuid:study_id>/results/", results.show_results, name="results"),
    path(
        "studies/<uuid:study_id>/results/again",
        results.analyse_again,
        name="results-again",
    ),
    path(
        "studies/<uuid:study_id>/results/<int:run_id>/<slug:name>.<str:kind>",
        results.send_figure,
        name="figure",
    ),
    path(
        "studies/<uuid:study_id>/comparison/",
        comparison.show_comparison,
        name="comparison",
    ),
    path(
        "studies/<uuid:study_id>/comparison/again",
        comparison.measure_again,
        name="comparison-again",
    ),
    path(
        "studies/<uuid:study_id>/comparison/robustness/",
        robustness.show_robustness,
        name="robustness",
    ),
    path(
        "studies/<uuid:study_id>/comparison/robustness/coarser",
        robustness.predict_coarser,
        name="robustness-coarser",
    ),
    path(
        "studies/<uuid:study_id>/comparison/robustness/<slug:name>.<str:kind>",
        robustness.send_figure,
        name="robustness-figure",
    ),
    path(
        "studies/<uuid:study_id>/comparison/<slug:name>.<str:kind>",
        comparison.send_file,
        name="comparison-file",
    ),
    path("studies/<uuid:study_id>/masks/", looking.show_masks, name="masks"),
    path(f"{MASKS}/", looking.show_viewer, name="masks-viewer"),
    path(f"{MASKS}/image", looking.send_image, name="masks-image"),
    path(f"{MASKS}/mask/<slug:key>", looking.send_mask, name="masks-mask"),
    path(f"{MASKS}/tile/<slug:key>", looking.send_tile, name="masks-tile"),
    path("studies/<uuid:study_id>/export/", results.show_export, name="export"),
    path(
        "studies/<uuid:study_id>/export/bundle",
        results.send_bundle,
        name="export-bundle",
    ),
    path("tokens/", tokens.show_tokens, name="tokens"),
    path("tokens/<int:token_id>/end", tokens.end_token, name="token-end"),
    path("api/", include("ratings.desk.urls")),
    path("join/<str:token>", joining.join, name="join"),
    path("rate/<str:key>/", joining.show_room, name="rate"),
    path("rate/<str:key>/my-record.csv", joining.send_own_record, name="own-record"),
    path("rate/<str:key>/sources/", joining.show_sources, name="sources"),
    path("api/rate/<str:key>/", api.SessionView.as_view(), name="session"),
    path("api/rate/<str:key>/next", api.NextView.as_view(), name="next"),
    path("api/rate/<str:key>/stay", api.StayView.as_view(), name="stay"),
    path("api/rate/<str:key>/review", api.ReviewView.as_view(), name="review"),
    path("api/rate/<str:key>/sign", api.SignView.as_view(), name="sign"),
    path("api/rate/<str:key>/problem", api.ProblemView.as_view(), name="problem"),
    path(
        "api/rate/<str:key>/questions",
        api.QuestionsView.as_view(),
        name="questions",
    ),
    path("api/rate/<str:key>/guesses", api.GuessesView.as_view(), name="guesses"),
    path("api/items/<str:token>/guess", api.GuessView.as_view(), name="item-guess"),
    path("api/items/<str:token>/image", api.ImageView.as_view(), name="item-image"),
    path(
        "api/items/<str:token>/context", api.ContextView.as_view(), name="item-context"
    ),
    path("api/items/<str:token>/mask", api.MaskView.as_view(), name="item-mask"),
    path("api/items/<str:token>/scores", api.ScoreView.as_view(), name="item-scores"),
]
