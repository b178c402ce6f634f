#!/usr/bin/env python
"""Django's entry point for every command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    from config.outages import describe_outage

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as fault:
        # A setting that is wrong is for the operator to read, not for a programmer.
        sys.exit(str(fault))
    except DatabaseError as fault:
        if "--traceback" in sys.argv or not (told := describe_outage(fault)):
            raise
        sys.exit(told)


if __name__ == "__main__":
    main()
