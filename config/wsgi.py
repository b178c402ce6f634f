"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

# By it gunicorn knows that starting this again is of no use.
APP_LOAD_ERROR = 4
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as fault:
    print(fault, file=sys.stderr)
    sys.exit(APP_LOAD_ERROR)
