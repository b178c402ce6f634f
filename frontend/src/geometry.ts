// Planes, picture axes and patient letters of a canonical volume.
import type { Triple } from "./volume";

export type Plane = "sagittal" | "coronal" | "axial";

export const PLANES: readonly Plane[] = ["sagittal", "coronal", "axial"];

/** Letters at the left, right, top and bottom of the picture. */
export type Letters = readonly [string, string, string, string];

/** Radiological pictures put the patient's right at the left, neurological ones do not. */
export type Convention = "radiological" | "neurological";

export type Axis = 0 | 1 | 2;

/** How a plane lies in the volume: through axis, picture columns, picture rows. */
export interface Axes {
  readonly through: Axis;
  readonly across: Axis;
  readonly down: Axis;
  /** True where picture columns run along their volume axis, not against it. */
  readonly mirrored: boolean;
  readonly letters: Letters;
}

/*
 * Canonical axes point right, anterior and superior. Radiological pictures put the
 * patient's right, or anterior in sagittal ones, at the left and superior, or
 * anterior in axial ones, at the top: every picture axis runs against its volume axis.
 */
const AXES: Record<Plane, Omit<Axes, "mirrored">> = {
  sagittal: { through: 0, across: 1, down: 2, letters: ["A", "P", "S", "I"] },
  coronal: { through: 1, across: 0, down: 2, letters: ["R", "L", "S", "I"] },
  axial: { through: 2, across: 0, down: 1, letters: ["R", "L", "A", "P"] },
};

const ANISOTROPIC = 1.3;

/** Neurological pictures differ where left and right lie in the picture. */
export function axesOf(plane: Plane, convention: Convention = "radiological"): Axes {
  const axes = AXES[plane];
  const mirrored = convention === "neurological" && axes.across === 0;
  const [left, right, top, bottom] = axes.letters;
  const letters: Letters = mirrored ? [right, left, top, bottom] : axes.letters;
  return { ...axes, mirrored, letters };
}

/**
 * The plane an image was acquired in. The thickest axis is the through-plane one
 * when it is over 1.3 times the thinnest; otherwise the axis with fewest slices,
 * sagittal first among equals, as cords are read.
 */
export function acquisitionPlane(shape: Triple, spacing: Triple): Plane {
  const anisotropic = Math.max(...spacing) / Math.min(...spacing) > ANISOTROPIC;
  const through = anisotropic
    ? spacing.indexOf(Math.max(...spacing))
    : shape.indexOf(Math.min(...shape));
  return PLANES[through];
}

export function sliceCount(shape: Triple, plane: Plane): number {
  return shape[axesOf(plane).through];
}

/** The middle slice: it depends on the grid alone, never on a mask. */
export function middleSlice(shape: Triple, plane: Plane): number {
  return Math.floor(sliceCount(shape, plane) / 2);
}

/** Picture size of a slice in voxels. */
export function pictureSize(shape: Triple, plane: Plane): { width: number; height: number } {
  const axes = axesOf(plane);
  return { width: shape[axes.across], height: shape[axes.down] };
}

/** Picture pixel size in millimetres. */
export function pixelSize(spacing: Triple, plane: Plane): { width: number; height: number } {
  const axes = axesOf(plane);
  return { width: spacing[axes.across], height: spacing[axes.down] };
}

/** Where a slice's pixels lie among the voxels: index = start + x·across + y·down. */
export interface Walk {
  readonly start: number;
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
}

export function walkSlice(
  shape: Triple,
  plane: Plane,
  slice: number,
  convention: Convention = "radiological",
): Walk {
  const axes = axesOf(plane, convention);
  const strides = [1, shape[0], shape[0] * shape[1]];
  const { width, height } = pictureSize(shape, plane);
  const [column, row] = [strides[axes.across], strides[axes.down]];
  const top = slice * strides[axes.through] + (height - 1) * row;
  return {
    start: axes.mirrored ? top : top + (width - 1) * column,
    across: axes.mirrored ? column : -column,
    down: -row,
    width,
    height,
  };
}

const BARS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200];

/** The longest round length in mm that a bar of at most `room` mm can show. */
export function scaleBarLength(room: number): number {
  return BARS.filter((length) => length <= room).pop() ?? BARS[0];
}
