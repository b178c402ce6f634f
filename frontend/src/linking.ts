// Links a second series to the first by position in millimetres of the scanner's space.
import { axesOf, type Convention, type Plane } from "./geometry";
import type { Affine, Triple, Volume } from "./volume";
import { sizeInMm } from "./display";
import type { View } from "./view";

/** Where the second series is to be cut and how it lies in its pane. */
export interface Linked {
  readonly slice: number;
  readonly view: View;
}

/**
 * The second series' slice through the point at the middle of the screen, at the same
 * scale and with that point at the middle too; null where it does not reach.
 *
 * `place` is that point in mm from the first volume's first corner.
 */
export function linkSecond(
  first: Volume,
  second: Volume,
  place: Triple,
  scale: number,
  plane: Plane,
  convention: Convention,
): Linked | null {
  const index = first.spacing.map((size, axis) => place[axis] / size - 0.5);
  const there = solve(second.affine, multiply(first.affine, index));
  const axes = axesOf(plane, convention);
  const slice = Math.round(there[axes.through]);
  if (slice < 0 || slice >= second.shape[axes.through]) return null;
  const picture = sizeInMm(second, plane);
  const x = (there[axes.across] + 0.5) * second.spacing[axes.across];
  const y = (there[axes.down] + 0.5) * second.spacing[axes.down];
  return {
    slice,
    view: { scale, x: axes.mirrored ? x : picture.width - x, y: picture.height - y },
  };
}

function multiply(affine: Affine, index: readonly number[]): Triple {
  const [x, y, z] = affine.map((row) =>
    row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + row[3]);
  return [x, y, z];
}

/** The index at a point of space, by Cramer's rule. */
function solve(affine: Affine, point: Triple): Triple {
  const column = (axis: number) => affine.map((row) => row[axis]);
  const [a, b, c] = [column(0), column(1), column(2)];
  const d = point.map((value, row) => value - affine[row][3]);
  const whole = determinant(a, b, c);
  return [determinant(d, b, c) / whole, determinant(a, d, c) / whole, determinant(a, b, d) / whole];
}

function determinant(a: readonly number[], b: readonly number[], c: readonly number[]): number {
  return a[0] * (b[1] * c[2] - b[2] * c[1])
    - b[0] * (a[1] * c[2] - a[2] * c[1])
    + c[0] * (a[1] * b[2] - a[2] * b[1]);
}
