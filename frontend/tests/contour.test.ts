import { expect, test } from "vitest";
import { traceContour, type Loop } from "../src/contour";

const draw = (...rows: string[]) => ({
  width: rows[0].length,
  height: rows.length,
  pixels: Uint8Array.from(rows.join(""), (mark) => Number(mark === "#")),
});

type Drawing = ReturnType<typeof draw>;

/** Unit edges of loops, each as "x,y,h" or "x,y,v" at its upper or left end. */
function edgesOf(loops: readonly Loop[]): string[] {
  const edges: string[] = [];
  for (const loop of loops) {
    for (let i = 0; i < loop.length; i += 2) {
      const [x0, y0] = [loop[i], loop[i + 1]];
      const [x1, y1] = [loop[(i + 2) % loop.length], loop[(i + 3) % loop.length]];
      expect(x0 === x1 || y0 === y1).toBe(true);
      for (let x = Math.min(x0, x1); x < Math.max(x0, x1); x++) edges.push(`${x},${y0},h`);
      for (let y = Math.min(y0, y1); y < Math.max(y0, y1); y++) edges.push(`${x0},${y},v`);
    }
  }
  return edges.sort();
}

/** Edges between a marked and an unmarked pixel, found pixel by pixel. */
function boundaryOf({ width, height, pixels }: Drawing): string[] {
  const at = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height ? pixels[y * width + x] : 0;
  const edges: string[] = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (at(x, y) !== at(x, y - 1)) edges.push(`${x},${y},h`);
      if (at(x, y) !== at(x - 1, y)) edges.push(`${x},${y},v`);
    }
  }
  return edges.sort();
}

test("one pixel is one loop around its four corners", () => {
  expect(traceContour(draw("...", ".#.", "..."))).toEqual([[1, 1, 2, 1, 2, 2, 1, 2]]);
});

test("straight runs have no points between their corners", () => {
  expect(traceContour(draw("####", "####"))).toEqual([[0, 0, 4, 0, 4, 2, 0, 2]]);
});

test("nothing marked draws nothing", () => {
  expect(traceContour(draw("...", "..."))).toEqual([]);
});

test("a ring has an outer and an inner loop, run in opposite directions", () => {
  const loops = traceContour(draw("###", "#.#", "###"));
  const area = (loop: Loop) => {
    let sum = 0;
    for (let i = 0; i < loop.length; i += 2) {
      sum += loop[i] * loop[(i + 3) % loop.length] - loop[(i + 2) % loop.length] * loop[i + 1];
    }
    return sum / 2;
  };
  expect(loops.map(area)).toEqual([9, -1]);
});

test("pixels that touch at a corner keep loops of their own", () => {
  expect(traceContour(draw("#.", ".#")).map((loop) => loop.length)).toEqual([8, 8]);
});

test("loops are exactly the voxel edges, for 200 random masks", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round++) {
    const [width, height] = [1 + Math.floor(random() * 9), 1 + Math.floor(random() * 9)];
    const density = random();
    const pixels = Uint8Array.from({ length: width * height }, () => Number(random() < density));
    const picture = { width, height, pixels };
    expect(edgesOf(traceContour(picture))).toEqual(boundaryOf(picture));
  }
});
