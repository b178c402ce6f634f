"""Makes of what goes wrong while a file is judged a refusal of that file alone."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ratings.nifti import ImageRefused

log = logging.getLogger(__name__)


@contextmanager
def confine_to_file(name: str) -> Iterator[None]:
    """Whatever happens within is a refusal, so that the files beside it go on."""
    try:
        yield
    except ImageRefused:
        raise
    except OSError as error:
        raise unreadable(name, error) from error
    except Exception as error:
        log.error("A file could not be judged: %s", trace(error))
        raise not_judged(name) from error


def trace(error: Exception) -> str:
    """Where it happened; the error's own words may hold what the file says."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{frames}"


def unreadable(name: str, error: OSError) -> ImageRefused:
    why = error.strerror or "no reason given"
    return ImageRefused(
        "unreadable",
        f"{name}: it can't be read ({why}). Give yourself the right to, or copy it.",
    )


def not_judged(name: str) -> ImageRefused:
    return ImageRefused(
        "not_judged",
        f"{name}: Blindfold failed on this file, so it can't be taken; the others are "
        "not affected. Save it again with a current tool; if it fails again, ask for "
        "the fault in the log to be reported.",
    )
