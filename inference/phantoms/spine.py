"""Paint vertebrae, discs, ligaments, nerve roots and the dural sac."""

from __future__ import annotations

import numpy as np

from inference.phantoms.anatomy import Body, Frame, lookup
from inference.phantoms.contrast import Signal
from inference.phantoms.fields import Array, box, ellipse, inside, paint


def paint_column(
    image: Array, *, frame: Frame, body: Body, signal: Signal, texture: Array
) -> None:
    """Paint the vertebral bodies with the discs between them."""
    u, v = frame.u, frame.v
    front = body.sac[1] + 1.2 + body.depth / 2
    level = np.floor(frame.turn)
    along = (frame.turn - level - 0.5) * body.level
    half = body.level / 2 - body.disc / 2
    reach = v - front
    # Endplates sag towards the middle; walls are slightly waisted at mid-height.
    sag = 1.1 * (1 - (reach / body.depth * 2) ** 2)
    waist = 0.9 * (1 - (along / half) ** 2)
    wall = box(u, reach, a=body.width - waist, b=body.depth / 2 - waist)
    wall = wall + 0.25 * texture
    paint(image, inside(wall - 1.4, edge=0.9), 0.5 * (signal.cortex + signal.annulus))
    disc = inside(wall + 0.2, edge=0.9)
    paint(image, disc, signal.annulus)
    wet = lookup(body.degeneration, level + (along > 0))
    fluid = signal.annulus + (signal.nucleus - signal.annulus) * wet
    core = box(u, reach, a=body.width * 0.72, b=body.depth * 0.34)
    paint(image, inside(core, edge=2.5), fluid)
    plate = np.abs(along) - half + np.maximum(sag, -0.8) + 0.2 * texture
    bone = np.maximum(plate, wall)
    paint(image, inside(bone - 0.7, edge=0.7), signal.cortex)
    paint(image, inside(bone, edge=0.7), signal.marrow * (1 + 0.07 * texture))
    vein = np.maximum(np.abs(along) - 1.0, -(reach + body.depth / 2 - 4.5))
    vein = np.maximum(np.maximum(vein, np.abs(u) - 3), wall)
    paint(image, inside(vein, edge=1.0) * 0.5, signal.csf * 0.5 + signal.marrow * 0.5)


def paint_arches(
    image: Array, *, frame: Frame, body: Body, signal: Signal, texture: Array
) -> None:
    """Paint laminae and spinous processes, and the fat and ligaments between them."""
    u, v = frame.u, frame.v
    behind = -v - body.sac[1] - 1.0
    fat = np.maximum(np.abs(behind - 0.8) - 1.8, np.abs(u) - 4.5)
    paint(image, inside(fat, edge=1.5), signal.fat)
    between = np.maximum(np.abs(u) - 2.2, np.abs(behind - 11) - 11)
    paint(image, inside(between, edge=1.5) * 0.6, 0.5 * (signal.fat + signal.annulus))
    ring = ellipse(u, v + 1.5, a=body.sac[0] + 3.0, b=body.sac[1] + 3.2)
    ligament = np.maximum(np.maximum(np.abs(ring) - 0.9, v + 3.0), np.abs(u) - 9.0)
    paint(image, inside(ligament, edge=0.8), signal.annulus)
    bone = shape_arch(frame=frame, body=body, behind=behind, ring=ring)
    bone = bone + 0.45 * texture
    paint(image, inside(bone - 0.7, edge=0.9) * 0.85, signal.cortex)
    paint(image, inside(bone, edge=1.0), signal.marrow * (1 + 0.08 * texture))


def shape_arch(*, frame: Frame, body: Body, behind: Array, ring: Array) -> Array:
    """Return the signed distance in mm to laminae and spinous processes."""
    u, turn = np.abs(frame.u), frame.turn
    sway = 0.9 * np.sin(0.23 * behind + 2.1 * np.floor(turn))
    reach = np.maximum(behind, 0)
    shifted = turn + (body.slant * reach + sway) / body.level
    level = np.floor(shifted)
    along = (shifted - level - 0.5) * body.level
    length = 21.0 * lookup(body.process, level)
    height = body.level * (0.15 + 0.004 * reach * lookup(body.degeneration, level))
    blade = box(behind - length / 2 - 0.5, along, a=length / 2, b=height)
    spine = np.maximum(u - 2.2 - 0.06 * behind, blade)
    lamina = np.maximum(np.abs(ring - 1.0) - 2.0, frame.v + 2.0)
    lamina = np.maximum(lamina, np.abs(along) - body.level * 0.27)
    return np.asarray(np.minimum(spine, lamina), dtype=np.float32)


def paint_sides(
    image: Array, *, frame: Frame, body: Body, signal: Signal, texture: Array
) -> None:
    """Paint joint pillars, root canals with their nerve, and vertebral arteries."""
    along = (frame.turn - np.floor(frame.turn) - 0.5) * body.level
    for side in (-1, 1):
        u, v = side * frame.u, frame.v
        across = u - body.sac[0] - 5.8
        pillar = ellipse(across, v + 4.5, a=5.4, b=6.0) + 0.4 * texture
        joint = np.abs(np.abs(along) - body.level / 2 + 0.55 * (v + 4.5)) - 0.5
        paint(image, inside(pillar - 0.7, edge=0.9) * 0.8, signal.cortex)
        paint(image, inside(pillar, edge=0.8), signal.marrow * (1 + 0.08 * texture))
        seam = np.maximum(joint, pillar)
        paint(image, inside(seam, edge=1.0), 0.5 * (signal.cortex + signal.nucleus))
        canal = ellipse(across + 2.5, v - 2.5, a=5.5, b=3.0) + 0.4 * texture
        canal = np.maximum(canal, body.level * 0.28 - np.abs(along))
        paint(image, inside(canal, edge=1.6) * 0.8, signal.fat)
        root = np.maximum(
            np.abs(v - 2.8 - 0.15 * across) - 1.5, np.abs(across + 1) - 6.5
        )
        root = np.maximum(root, body.level * 0.36 - np.abs(along))
        paint(image, inside(root, edge=1.0), 0.6 * signal.white + 0.4 * signal.muscle)
        artery = ellipse(across + 1.0, v - 8.5, a=2.1, b=2.1)
        paint(image, inside(artery - 1.0, edge=1.0), 0.5 * (signal.fat + signal.muscle))
        paint(image, inside(artery, edge=0.7), signal.vessel)


def paint_sac(
    image: Array, *, frame: Frame, body: Body, signal: Signal, flow: Array
) -> None:
    """Paint the dura, the fluid with its flow shadows, and the rootlets in it."""
    u, v = frame.u, frame.v
    bulge = lookup(body.degeneration, np.floor(frame.turn + 0.5))
    near = np.exp(-(((frame.turn + 0.5) % 1.0 - 0.5) ** 2) / 0.02)
    dent = near * np.maximum(0.9 - bulge, 0) * 3.0
    b = body.sac[1] - np.where(v > 0, dent, 0.0)
    sac = ellipse(u, v, a=body.sac[0], b=b)
    paint(image, inside(sac - 0.8, edge=0.7), signal.cortex)
    shadow = 1 - 0.13 * np.clip(np.abs(flow) - 0.6, 0, 2)
    paint(image, inside(sac, edge=0.7), signal.csf * shadow)
    for side in (-1, 1):
        for height, depth in ((-2.2, 1.1), (2.0, 0.9)):
            x = side * u - body.cord[0] * 0.95 - 0.6 * np.abs(depth)
            root = ellipse(x, v - height, a=1.5, b=0.55)
            paint(image, inside(root, edge=0.7) * 0.55, signal.white)
