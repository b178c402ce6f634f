"""How gunicorn serves the site; what its command line says beside comes before it."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
try:
    from config.settings import LOGGING
except ImproperlyConfigured as fault:
    # A setting that is wrong is for the operator to read, not for a programmer.
    sys.exit(str(fault))

worker_class = "gthread"
threads = 4
# A large upload is judged while its sender waits.
timeout = 120
# Signs of life are written often: in memory, where no disk can hold them up.
worker_tmp_dir = "/dev/shm"
# Nothing is to be written outside the data folder.
control_socket_disable = True
# Its own lines are for the same machines as the site's.
logconfig_dict = LOGGING
