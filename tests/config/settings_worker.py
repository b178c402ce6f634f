"""The product's settings plus kinds of jobs whose course a test can see and steer."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import JOB_KINDS

JOB_KINDS = JOB_KINDS | {
    "write": "tests.config.kinds.write_line",
    "wait": "tests.config.kinds.write_line_and_wait",
    "refuse": "tests.config.kinds.refuse",
    "full": "tests.config.kinds.predict_on_a_full_disk",
    "break": "tests.config.kinds.divide_by_zero",
}
