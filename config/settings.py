"""All settings, in one file, driven by the environment alone."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from config.folder import name_unwritable
from config.logging import make_logging
from config.secret import keep_key
from inference.version import read_version

# Scans and scores are for the site's own user alone, also where DATA_DIR is open.
os.umask(0o077)
BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
if (BASE_DIR / ".env").exists():
    env.read_env(str(BASE_DIR / ".env"))


DATA_DIR = (BASE_DIR / env.str("DATA_DIR", default="data")).resolve()
with name_unwritable(DATA_DIR):
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Django refuses to start without it, and nothing is to be written elsewhere.
    (DATA_DIR / "incoming").mkdir(exist_ok=True)
PORT = env.int("PORT", default=8000, least=1, most=65535)
SITE_URL = env.site("SITE_URL", default=f"http://127.0.0.1:{PORT}")
DEBUG = env.bool("DEBUG", default=False)
VERSION = read_version()
DEVICE = env.str("DEVICE", default="auto")
PRECISION = env.str("PRECISION", default="auto")

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    with name_unwritable(DATA_DIR):
        SECRET_KEY = keep_key(DATA_DIR / "secret_key")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "SECRET_KEY is shorter than 50 characters: set a longer SECRET_KEY or "
        f"SECRET_KEY_FILE, or neither, and one is kept in {DATA_DIR / 'secret_key'}."
    )

site = urlsplit(SITE_URL)
HTTPS = site.scheme == "https"
ALLOWED_HOSTS = [site.hostname or "127.0.0.1", *env.hosts("ALLOWED_HOSTS")]
if site.hostname in ("127.0.0.1", "localhost"):
    ALLOWED_HOSTS += ["127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "config",
    "inference",
    "ratings",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "config.logging.log_requests",
    "config.heads.spare_body",
    "config.health.answer_probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.hardship.refuse_uploads",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.doors.lead_on",
    "config.second_factor.require_second_factor",
    "config.hardship.AnswerHardship",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, so that the timeout is respected;
    # FULL because an acknowledged score must survive a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.redis("CACHE_URL")
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": CACHE_URL,
            # One that hangs is to be said, and not to hold every page.
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        }
        if CACHE_URL
        else {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "cache",
            # Beyond it some are thrown out, and with them tries that were counted.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    )
}

# Where an operator puts trained models, and where they are kept once they were checked.
MODELS_DIR = Path(env.str("MODELS_DIR", default=str(DATA_DIR / "models"))).resolve()
ENSEMBLES_DIR = DATA_DIR / "ensembles"
TOOLS_FILE = Path(env.str("TOOLS_FILE", default=str(DATA_DIR / "tools.toml"))).resolve()

BROKER_URL = env.broker("BROKER_URL", default="filesystem://")
JOB_TICK_SECONDS = env.int("JOB_TICK_SECONDS", default=2, least=1)
# One sign that is late or lost must not pass for a death.
JOB_LEASE_SECONDS = env.int(
    "JOB_LEASE_SECONDS", default=8, least=3 * JOB_TICK_SECONDS,
    why=", three times JOB_TICK_SECONDS",
)  # fmt: skip
JOB_BELL = "config.celery.ring"
JOB_QUEUE = env.str("JOB_QUEUE", default="blindfold")
JOB_KINDS = {
    "predict": "inference.predictions.run_job",
    "analyse": "ratings.results.run_job",
    "register": "inference.shelf.run_job",
    "measure": "inference.measuring.run_job",
    "import": "ratings.moving.reading.run_job",
}

AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "config.accounts.ClosedAccountAdapter"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
MFA_ADAPTER = "config.second_factor.SealedFactors"
MFA_TOTP_ISSUER = "Blindfold"
# A phone's clock may be half a minute off, and typing takes time.
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "activate_totp": "config.second_factor.ActivateForm",
    "authenticate": "config.second_factor.CodeForm",
    "reauthenticate": "config.second_factor.CodeAgainForm",
}
# Whoever coordinates signs in with a second factor wherever the site is not local.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=HTTPS)
# How many proxies of one's own stand before the site: throttling counts by address.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0, least=0)
EMAIL_TIMEOUT = 10
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
SENDER = f"Blindfold <noreply@{site.hostname}>"
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default=SENDER)

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILES_DIR = DATA_DIR / "files"
FILE_UPLOAD_TEMP_DIR = str(DATA_DIR / "incoming")
os.environ.setdefault("MPLCONFIGDIR", str(DATA_DIR / "matplotlib"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
# a list of thousands of images is one form, and a set brings a sidecar with each
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10_000
UPLOAD_LIMIT_BYTES = env.int("UPLOAD_LIMIT_BYTES", default=2 * 2**30, least=1)
READ_AT_ONCE_BYTES = env.int("READ_AT_ONCE_BYTES", default=2**20)
UNPACKED_LIMIT_BYTES = env.int("UNPACKED_LIMIT_BYTES", default=2**30, least=1)
VOXEL_LIMIT = env.int("VOXEL_LIMIT", default=400_000_000, least=1)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Neighbours below the same name are not the site's to decide about.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ratings.parsing.TextParser"],
    "DEFAULT_SCHEMA_CLASS": "ratings.desk.naming.DeskSchema",
    "EXCEPTION_HANDLER": "ratings.api.answer_problem",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Blindfold for coordinators",
    "DESCRIPTION": "What the pages of the desk do, for scripts; docs/api.md has more.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["ratings.desk.schema.keep_desk"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ratings.desk.schema.close_bodies",
    ],
}

LOG_FORMAT = env.str("LOG_FORMAT", default="text")
LOGGING = make_logging(LOG_FORMAT)
