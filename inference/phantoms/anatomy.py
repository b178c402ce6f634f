"""Draw one neck or upper back: shape parameters and the tissues around the cord."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.phantoms.acquisition import Grid
from inference.phantoms.contrast import Signal
from inference.phantoms.fields import (
    Array,
    box,
    ellipse,
    inside,
    paint,
)


@dataclass(frozen=True)
class Body:
    """The random but fixed shape of one subject; lengths in mm."""

    thoracic: bool
    curve: tuple[float, float, float, float]
    sway: tuple[float, float]
    cord: tuple[float, float]
    sac: tuple[float, float]
    level: float
    phase: float
    disc: float
    depth: float
    width: float
    slant: float
    process: tuple[float, ...]
    degeneration: tuple[float, ...]
    back: float
    front: float


def draw_body(rng: np.random.Generator) -> Body:
    """Draw a subject: cervical in seven of ten, else upper thoracic."""
    thoracic = bool(rng.uniform() < 0.3)
    cord = (rng.uniform(5.6, 6.6), rng.uniform(3.5, 4.2))
    if thoracic:
        cord = (rng.uniform(4.4, 5.1), rng.uniform(3.2, 3.7))
    bend = rng.uniform(2.0, 8.0) * (-1 if thoracic or rng.uniform() < 0.15 else 1)
    return Body(
        thoracic=thoracic,
        curve=(bend, rng.normal(0, 2.5), rng.normal(0, 1.2), rng.uniform(0, 6.3)),
        sway=(rng.normal(0, 1.2), rng.uniform(0, 6.3)),
        cord=cord,
        sac=(cord[0] + rng.uniform(3.2, 4.6), cord[1] + rng.uniform(2.2, 3.2)),
        level=rng.uniform(20.5, 23.0) if thoracic else rng.uniform(16.5, 19.0),
        phase=rng.uniform(0, 1),
        disc=rng.uniform(3.2, 4.6) if thoracic else rng.uniform(4.2, 5.6),
        depth=rng.uniform(17, 21) if thoracic else rng.uniform(14.5, 17.5),
        width=rng.uniform(13, 15) if thoracic else rng.uniform(10.5, 12.5),
        slant=rng.uniform(0.7, 1.0) if thoracic else rng.uniform(0.3, 0.6),
        process=tuple(rng.uniform(0.75, 1.2, 16)),
        degeneration=tuple(rng.uniform(0.35, 1.1, 16)),
        back=rng.uniform(38, 44),
        front=rng.uniform(38, 44),
    )


@dataclass(frozen=True)
class Frame:
    """Coordinates that follow the cord: u to the right, v forward, s upward, mm."""

    u: Array
    v: Array
    s: Array
    turn: Array
    tilt: Array


def follow_cord(*, body: Body, grid: Grid) -> Frame:
    """Return cord-centred coordinates of every voxel, as broadcastable arrays."""
    bend, tip, wave, start = body.curve
    h = grid.z / 60.0
    centre = 6.0 + bend * (0.5 - h**2) + tip * h + wave * np.sin(3.2 * h + start)
    slope = (-2 * bend * h + tip + 3.2 * wave * np.cos(3.2 * h + start)) / 60.0
    aside = body.sway[0] * np.sin(2.2 * h + body.sway[1])
    v = (grid.y - centre).astype(np.float32)
    # Levels are cut across the cord, so height is corrected for its local slope.
    s = (grid.z + slope * v).astype(np.float32)
    return Frame(
        u=(grid.x - aside).astype(np.float32),
        v=v,
        s=s,
        turn=(s / body.level + body.phase).astype(np.float32),
        tilt=slope.astype(np.float32),
    )


def lookup(values: tuple[float, ...], level: Array) -> Array:
    """Return the value of each voxel's vertebral level."""
    table = np.array(values, dtype=np.float32)
    return np.asarray(table[np.asarray(level).astype(int) % len(values)])


def paint_soft_tissue(
    image: Array, *, frame: Frame, body: Body, signal: Signal, texture: Array
) -> None:
    """Fill muscle with fat planes, then fat under the skin, throat and vessels."""
    u, v = frame.u, frame.v
    bundle = np.sin(2.6 * texture + 0.16 * np.sqrt(u**2 + (v + 4.0) ** 2))
    strand = np.clip(1.0 - np.abs(bundle) * 5.0, 0, 1) * np.clip(0.5 + texture, 0, 1)
    image[...] = signal.muscle * (1 + 0.10 * texture) + strand * 0.6 * (
        signal.fat - signal.muscle
    )
    nuchal = inside(np.abs(u) - 0.8 - 0.02 * np.abs(v), edge=1.2) * (v < -12)
    paint(image, 0.7 * nuchal, signal.fat)
    paint(image, inside(v + body.back - 6 + 2.5 * texture, edge=2.0), signal.fat)
    front = inside(box(u, v - 29.5, a=13.0, b=4.0), edge=1.5)
    paint(image, front, signal.muscle)
    plane = inside(np.abs(v - 34.5) - 0.8 - 0.01 * u**2, edge=1.2)
    paint(image, plane * 0.8, signal.fat)
    for side in (-1, 1):
        paint_vessels(image, frame=frame, signal=signal, side=side)
    paint_throat(image, frame=frame, body=body, signal=signal)


def paint_vessels(image: Array, *, frame: Frame, signal: Signal, side: int) -> None:
    """Draw the carotid sheath of one side in its fat."""
    u, v = frame.u - side * 25.0, frame.v - 27.0
    paint(image, inside(ellipse(u, v, a=9.0, b=6.5), edge=3.0) * 0.7, signal.fat)
    paint(image, inside(ellipse(u, v, a=3.2, b=3.2), edge=0.8), signal.vessel)
    jugular = ellipse(u - side * 5.5, v + 1.0, a=4.6, b=3.4)
    paint(image, inside(jugular, edge=0.8), 0.6 * signal.vessel + 0.4 * signal.csf)


def paint_throat(image: Array, *, frame: Frame, body: Body, signal: Signal) -> None:
    """Draw the air column with its bright lining in front of the spine."""
    u, v = frame.u, frame.v - body.front - 4.0
    lining = 0.5 * (signal.nucleus + signal.muscle)
    paint(image, inside(ellipse(u, v, a=10.5, b=8.0), edge=1.2), lining)
    paint(image, inside(ellipse(u, v, a=8.6, b=6.0), edge=1.0), signal.air)
    gullet = ellipse(u - 2.0, v + 9.5, a=5.5, b=1.8)
    paint(image, inside(gullet, edge=1.0), 0.5 * (signal.muscle + signal.annulus))


def paint_skin(
    image: Array, *, grid: Grid, frame: Frame, body: Body, signal: Signal
) -> None:
    """Cut the body off at its outline, a thin skin before the air."""
    u, v = grid.x, frame.v * 0.5 + grid.y * 0.5
    depth = ellipse(u, v - 6.0, a=63.0, b=body.back + 9.0)
    paint(image, inside(np.abs(depth + 0.9) - 0.9, edge=0.8), signal.muscle)
    paint(image, inside(-depth, edge=0.8), signal.air)
