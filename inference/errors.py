"""What can go wrong with a model or an image, each said in one sentence."""

from __future__ import annotations


class ModelError(ValueError):
    """A model folder is incomplete, unsafe or of a kind that cannot be run."""


class ImageError(ValueError):
    """An image cannot be read or cannot be predicted."""


class TooLittleMemory(ImageError):
    """The machine could not hold an image, or a network at work on it."""

    def __init__(self) -> None:
        super().__init__(
            "The machine ran out of memory on this image, even in the smallest steps. "
            "Crop the image, or run the worker on a machine with more memory, then "
            "retry."
        )


class Cancelled(Exception):
    """The caller asked to stop."""
