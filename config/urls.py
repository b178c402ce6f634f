"""Root routes of the site."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config import account_pages
from config.accounts import ForgottenPasswordView, refuse_address_page
from config.health import healthz, readyz

handler400 = "config.doors.refuse_damaged"
urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    # Before allauth's own route of that name.
    path(
        "accounts/password/reset/",
        ForgottenPasswordView.as_view(),
        name="account_reset_password",
    ),
    re_path(r"^accounts/(?:email|confirm-email)/", refuse_address_page),
    # The page of the account lists the devices.
    path("accounts/sessions/", RedirectView.as_view(pattern_name="account")),
    path("accounts/", include("allauth.urls")),
    path("account/", account_pages.show_account, name="account"),
    path(
        "account/devices/<int:number>/end", account_pages.end_device, name="device-end"
    ),
    path("account/devices/end", account_pages.end_other_devices, name="devices-end"),
    path("account/stay", account_pages.tell_stay, name="stay-signed-in"),
    path("account/erase", account_pages.erase_account, name="account-erase"),
    path("", include("inference.urls")),
    path("", include("ratings.urls")),
]
