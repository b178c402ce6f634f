"""Relative signal of each tissue in each of the six contrasts."""

from __future__ import annotations

from dataclasses import dataclass

CONTRASTS = ("T2w", "T2star", "PSIR", "STIR", "UNIT1", "T1w")


@dataclass(frozen=True)
class Signal:
    """Tissue intensities on a common scale where the brightest is about 1."""

    csf: float
    white: float
    grey: float
    lesion: float
    marrow: float
    nucleus: float
    annulus: float
    cortex: float
    muscle: float
    fat: float
    vessel: float
    air: float
    noise: float
    bias: float


SIGNALS = {
    "T2w": Signal(
        csf=1.0,
        white=0.36,
        grey=0.41,
        lesion=0.60,
        marrow=0.36,
        nucleus=0.50,
        annulus=0.14,
        cortex=0.06,
        muscle=0.17,
        fat=0.66,
        vessel=0.05,
        air=0.0,
        noise=0.028,
        bias=0.30,
    ),
    "T2star": Signal(
        csf=0.95,
        white=0.50,
        grey=0.60,
        lesion=0.72,
        marrow=0.22,
        nucleus=0.52,
        annulus=0.36,
        cortex=0.06,
        muscle=0.40,
        fat=0.44,
        vessel=0.92,
        air=0.0,
        noise=0.030,
        bias=0.35,
    ),
    "PSIR": Signal(
        csf=-0.55,
        white=0.62,
        grey=0.50,
        lesion=0.27,
        marrow=0.52,
        nucleus=0.08,
        annulus=0.18,
        cortex=0.04,
        muscle=0.34,
        fat=0.95,
        vessel=-0.10,
        air=0.0,
        noise=0.045,
        bias=0.20,
    ),
    "STIR": Signal(
        csf=1.0,
        white=0.42,
        grey=0.48,
        lesion=0.64,
        marrow=0.14,
        nucleus=0.36,
        annulus=0.13,
        cortex=0.05,
        muscle=0.24,
        fat=0.09,
        vessel=0.08,
        air=0.0,
        noise=0.035,
        bias=0.30,
    ),
    "UNIT1": Signal(
        csf=0.10,
        white=0.80,
        grey=0.66,
        lesion=0.50,
        marrow=0.62,
        nucleus=0.34,
        annulus=0.32,
        cortex=0.30,
        muscle=0.46,
        fat=0.92,
        vessel=0.30,
        air=0.0,
        noise=0.035,
        bias=0.04,
    ),
    "T1w": Signal(
        csf=0.17,
        white=0.60,
        grey=0.53,
        lesion=0.40,
        marrow=0.58,
        nucleus=0.33,
        annulus=0.28,
        cortex=0.07,
        muscle=0.38,
        fat=1.0,
        vessel=0.10,
        air=0.0,
        noise=0.028,
        bias=0.30,
    ),
}
