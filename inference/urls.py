"""The routes of the predictions."""

from __future__ import annotations

from django.urls import path

from inference import desk, model_desk, model_pages, soft_maps, views

BASE = "studies/<uuid:study_id>/predictions/"
MASKS = "studies/<uuid:study_id>/masks/<uuid:case_id>"
API = "api/studies/<uuid:study_id>/"

urlpatterns = [
    path(BASE, views.show_predictions, name="predictions"),
    path(f"{BASE}progress", views.show_progress, name="predictions-progress"),
    path(
        f"{BASE}jobs/<uuid:job_id>/log", views.show_log, name="prediction-log"
    ),
    path(f"{MASKS}/facts", soft_maps.describe_case, name="masks-facts"),
    path(f"{MASKS}/soft/<slug:key>", soft_maps.send_soft, name="masks-soft"),
    path("models/", model_pages.show_models, name="models"),
    path("models/list", model_pages.show_list, name="models-list"),
    path(
        f"{BASE}jobs/<uuid:job_id>/retry",
        views.change_job, {"act": "retry"}, name="prediction-retry",
    ),
    path(
        f"{BASE}jobs/<uuid:job_id>/cancel",
        views.change_job, {"act": "cancel"}, name="prediction-cancel",
    ),
    path(
        f"{BASE}arms/<int:arm_id>/retry",
        views.change_arm, {"act": "retry"}, name="predictions-retry",
    ),
    path(
        f"{BASE}arms/<int:arm_id>/cancel",
        views.change_arm, {"act": "cancel"}, name="predictions-cancel",
    ),
    path(
        f"{BASE}arms/<int:arm_id>/complete",
        views.change_arm, {"act": "complete"}, name="predictions-complete",
    ),
    path(
        f"{BASE}arms/<int:arm_id>/withdraw", views.withdraw, name="predictions-withdraw"
    ),
    path("api/sources", desk.SourcesCall.as_view(), name="api-sources"),
    path(
        f"{API}predictions", desk.PredictionsCall.as_view(), name="api-predictions"
    ),
    path("api/models", model_desk.ModelsCall.as_view(), name="api-models"),
    path(
        "api/models/jobs/<uuid:job_id>",
        model_desk.RegistrationCall.as_view(), name="api-registration",
    ),
    path(
        f"{API}predictions/<slug:key>",
        desk.PredictedArmCall.as_view(), name="api-predicted-arm",
    ),
    path(
        f"{API}predictions/<slug:key>/complete",
        desk.CompleteArmCall.as_view(), name="api-arm-complete",
    ),
    path(
        f"{API}predictions/<slug:key>/retry",
        desk.RetryArmCall.as_view(), name="api-arm-retry",
    ),
    path(
        f"{API}predictions/<slug:key>/cancel",
        desk.CancelArmCall.as_view(), name="api-arm-cancel",
    ),
    path(
        f"{API}jobs/<uuid:job_id>/log", desk.LogCall.as_view(), name="api-job-log"
    ),
    path(
        f"{API}jobs/<uuid:job_id>/retry", desk.RetryCall.as_view(), name="api-job-retry"
    ),
    path(
        f"{API}jobs/<uuid:job_id>/cancel",
        desk.CancelCall.as_view(), name="api-job-cancel",
    ),
]  # fmt: skip
