// Traces the exact voxel edges of a mask slice as closed loops of corner points.
import type { MaskPicture } from "./paint";

/** Corners x0, y0, x1, y1, … in pixel corners, closed; marked pixels at the right. */
export type Loop = readonly number[];

// Directions: 0 right, 1 down, 2 left, 3 up.
const STEP_X = [1, 0, -1, 0];
const STEP_Y = [0, 1, 0, -1];

export function traceContour(picture: MaskPicture): Loop[] {
  const edges = findEdges(picture);
  const loops: Loop[] = [];
  for (const start of edges.keys()) {
    while (edges.has(start)) loops.push(followLoop(edges, start, picture.width + 1));
  }
  return loops;
}

/** For each pixel corner, the directions of boundary edges that leave it, as bits. */
function findEdges({ width, height, pixels }: MaskPicture): Map<number, number> {
  const edges = new Map<number, number>();
  const marked = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === 1;
  const add = (x: number, y: number, direction: number) => {
    const corner = y * (width + 1) + x;
    edges.set(corner, (edges.get(corner) ?? 0) | (1 << direction));
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!marked(x, y)) continue;
      if (!marked(x, y - 1)) add(x, y, 0);
      if (!marked(x + 1, y)) add(x + 1, y, 1);
      if (!marked(x, y + 1)) add(x + 1, y + 1, 2);
      if (!marked(x - 1, y)) add(x, y + 1, 3);
    }
  }
  return edges;
}

/** Takes one loop's edges out of the map; where two pixels touch, turns right. */
function followLoop(edges: Map<number, number>, start: number, stride: number): Loop {
  const loop: number[] = [];
  let corner = start;
  let heading = -1;
  do {
    const exits = edges.get(corner)!;
    const direction = heading < 0 ? lowest(exits) : sharpest(exits, heading);
    const left = exits & ~(1 << direction);
    if (left) edges.set(corner, left);
    else edges.delete(corner);
    if (direction !== heading) loop.push(corner % stride, Math.floor(corner / stride));
    heading = direction;
    corner += STEP_X[direction] + STEP_Y[direction] * stride;
  } while (corner !== start);
  return loop;
}

function lowest(exits: number): number {
  return [0, 1, 2, 3].find((direction) => exits & (1 << direction))!;
}

/** Right first keeps pixels that only touch at a corner in loops of their own. */
function sharpest(exits: number, heading: number): number {
  return [1, 0, 3].map((turn) => (heading + turn) % 4)
    .find((direction) => exits & (1 << direction))!;
}
