"""The product's settings for the tests: a throw-away data folder and database."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests import services

folder = Path(tempfile.mkdtemp(prefix="blindfold-tests-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ.update(
    DATA_DIR=str(folder),
    SECRET_KEY="for the tests alone: fifty characters and some more",
    SITE_URL="http://127.0.0.1:8000",
    DATABASE_URL=services.database_url(default=f"sqlite:///{folder / 'db.sqlite3'}"),
)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

# A file, not memory: concurrent writers meet the same locks as in the product.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(folder / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
