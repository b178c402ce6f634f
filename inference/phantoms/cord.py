"""Paint the cord: white and grey matter, and lesions with their exact truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.phantoms.anatomy import Body, Frame
from inference.phantoms.contrast import Signal
from inference.phantoms.fields import Array, ellipse, inside, paint


@dataclass(frozen=True)
class Lesion:
    """An irregular ellipsoid: centre and half-axes in mm, strength from 0 to 1."""

    centre: tuple[float, float, float]
    axes: tuple[float, float, float]
    turn: float
    strength: float


def draw_lesions(
    *, body: Body, height: float, rng: np.random.Generator
) -> list[Lesion]:
    """Draw one to five lesions, mostly lateral or dorsal, long along the cord."""
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.25, 0.3, 0.25, 0.13, 0.07]))
    places: list[float] = []
    lesions = []
    for _ in range(40):
        place = rng.uniform(-0.42, 0.42) * height
        if any(abs(place - other) < 13.0 for other in places):
            continue
        places.append(place)
        lesions.append(draw_lesion(body=body, place=place, rng=rng))
        if len(lesions) == count:
            break
    return lesions


def draw_lesion(*, body: Body, place: float, rng: np.random.Generator) -> Lesion:
    """Draw one lesion: lateral, dorsal or ventral column, or central."""
    kind = rng.choice(
        ["lateral", "dorsal", "ventral", "central"], p=[0.5, 0.3, 0.1, 0.1]
    )
    side = rng.choice([-1.0, 1.0])
    p, q = {
        "lateral": (0.58 * side, rng.uniform(-0.3, 0.25)),
        "dorsal": (rng.uniform(-0.25, 0.25), -0.55),
        "ventral": (0.35 * side, 0.5),
        "central": (0.1 * side, rng.uniform(-0.1, 0.1)),
    }[str(kind)]
    size = float(np.clip(rng.lognormal(0.02, 0.2), 0.85, 1.6))
    return Lesion(
        centre=(p * body.cord[0], q * body.cord[1], place),
        axes=(
            rng.uniform(1.8, 2.7) * size,
            rng.uniform(1.6, 2.3) * size,
            rng.uniform(4.5, 9.0) * size,
        ),
        turn=rng.uniform(-0.6, 0.6),
        strength=float(np.clip(rng.normal(1.08, 0.18), 0.7, 1.4)),
    )


def paint_cord(
    image: Array, *, frame: Frame, body: Body, signal: Signal, texture: Array
) -> Array:
    """Paint white and grey matter; return the cover of the cord, 0 to 1."""
    swell = 1 + 0.07 * np.cos((frame.s + 10.0) / 22.0)
    a, b = body.cord[0] * swell, body.cord[1] * (0.5 + 0.5 * swell)
    cover = inside(ellipse(frame.u, frame.v, a=a, b=b), edge=0.7)
    paint(image, cover, signal.white * (1 + 0.05 * texture))
    grey = inside(butterfly(frame=frame, body=body), edge=0.8)
    paint(image, cover * grey, signal.grey * (1 + 0.04 * texture))
    fissure = np.maximum(np.abs(frame.u) - 0.25, 0.45 * body.cord[1] - frame.v)
    paint(image, 0.6 * cover * inside(fissure, edge=0.6), signal.csf)
    return cover


def butterfly(*, frame: Frame, body: Body) -> Array:
    """Return the signed distance in mm to the H of grey matter."""
    p, q = np.abs(frame.u) / body.cord[0], frame.v / body.cord[1]
    size = min(body.cord)
    ventral = ellipse(p - 0.33, q - 0.28, a=0.20, b=0.30) * size
    lean = p - 0.30 - 0.12 * (-q)
    dorsal = np.maximum(np.abs(lean) - 0.085, np.abs(q + 0.28) - 0.42) * size
    bridge = np.maximum(np.abs(q - 0.02) - 0.10, p - 0.3) * size
    distance: Array = np.minimum(np.minimum(ventral, dorsal), bridge)
    return distance


def paint_lesions(
    image: Array,
    *,
    frame: Frame,
    cord: Array,
    lesions: list[Lesion],
    signal: Signal,
    texture: Array,
) -> Array:
    """Paint the lesions into the cord; return their cover, 0 to 1."""
    total = np.zeros_like(image)
    for lesion in lesions:
        cos, sin = np.cos(lesion.turn), np.sin(lesion.turn)
        u, v = frame.u - lesion.centre[0], frame.v - lesion.centre[1]
        w = (frame.s - lesion.centre[2]) / lesion.axes[2]
        near = np.flatnonzero(np.abs(w).min(axis=(0, 1)) < 1.4)
        if near.size == 0:
            continue
        part = slice(near[0], near[-1] + 1)
        uu = (cos * u + sin * v)[:, :, part] if u.shape[2] > 1 else u
        vv = (cos * v - sin * u)[:, :, part]
        radius = np.sqrt(
            (uu / lesion.axes[0]) ** 2 + (vv / lesion.axes[1]) ** 2 + w[:, :, part] ** 2
        )
        radius = radius * (1 + 0.13 * texture[:, :, part])
        cover = np.clip((1.0 - radius) * 2.0 + 0.5, 0, 1) * cord[:, :, part]
        value = signal.white + lesion.strength * (signal.lesion - signal.white)
        paint(image[:, :, part], cover, value)
        total[:, :, part] = np.maximum(total[:, :, part], cover)
    return total
