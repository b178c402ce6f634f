"""Make synthetic spinal cord MRI with lesions whose truth is known exactly."""

from __future__ import annotations

from inference.phantoms.acquisition import ACQUISITIONS
from inference.phantoms.contrast import CONTRASTS
from inference.phantoms.phantom import Phantom, make_phantom, write_phantom
from inference.phantoms.raters import perturb_mask

__all__ = [
    "ACQUISITIONS",
    "CONTRASTS",
    "Phantom",
    "make_phantom",
    "perturb_mask",
    "write_phantom",
]
