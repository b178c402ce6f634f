"""Has the next image read and prepared while the networks work on this one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from inference import engine
from inference.errors import ImageError, ModelError

Progress = Callable[[float, str], None]


def read_ahead(
    *,
    progress: Progress | None,
    next_image: Path | None,
    ensemble: Path,
    settings: engine.Settings,
) -> Progress:
    """A progress function that begins with the next image once this one is loaded."""
    begun = next_image is None

    def show(part: float, words: str) -> None:
        nonlocal begun
        if part > 0 and not begun and next_image is not None:
            begun = True
            # What is wrong with that image is said when its turn comes.
            with suppress(OSError, ImageError, ModelError):
                engine.prefetch(image=next_image, ensemble=ensemble, settings=settings)
        if progress is not None:
            progress(part, words)

    return show
