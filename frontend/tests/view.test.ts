import { expect, test } from "vitest";
import { fitView, frameOf, panView, pointUnder, zoomView } from "../src/view";

const screen = { width: 800, height: 600 };
const picture = { width: 200, height: 100 };

test("a fitted picture is whole, centred and in true aspect", () => {
  const frame = frameOf(fitView(picture, screen), picture, screen);
  expect(frame.width / frame.height).toBeCloseTo(2, 9);
  expect(frame.left + frame.width / 2).toBeCloseTo(400, 9);
  expect(frame.top).toBeGreaterThan(20);
});

test("zooming keeps the point under the pointer where it is", () => {
  const pointer = { x: 300, y: 280 };
  const before = fitView(picture, screen);
  const after = zoomView(before, 1.7, pointer, picture, screen);
  const under = (view: typeof before) => {
    const frame = frameOf(view, picture, screen);
    return [(pointer.x - frame.left) / view.scale, (pointer.y - frame.top) / view.scale];
  };
  under(after).forEach((value, i) => expect(value).toBeCloseTo(under(before)[i], 6));
  expect(after.scale).toBeCloseTo(1.7 * before.scale, 9);
});

test("a drag moves the picture by as many pixels and never out of sight", () => {
  const view = fitView(picture, screen);
  const moved = frameOf(panView(view, 30, -20, picture), picture, screen);
  expect(moved.left - frameOf(view, picture, screen).left).toBeCloseTo(30, 9);
  expect(moved.top - frameOf(view, picture, screen).top).toBeCloseTo(-20, 9);
  const far = frameOf(panView(view, 1e6, 1e6, picture), picture, screen);
  expect(far.left).toBeLessThanOrEqual(400);
});

test("a square of the picture fills the screen around its centre", () => {
  const view = fitView(picture, screen, 50);
  expect(view).toMatchObject({ x: 100, y: 50 });
  expect(50 * view.scale).toBeCloseTo(600 - 56, 9);
  expect(fitView(picture, screen, 1000)).toEqual(fitView(picture, screen));
});

test("the point under the pointer is the one that zooming holds", () => {
  const pointer = { x: 120, y: 430 };
  const view = fitView(picture, screen);
  const under = pointUnder(view, pointer, screen);
  const after = pointUnder(zoomView(view, 2, pointer, picture, screen), pointer, screen);
  expect(after.x).toBeCloseTo(under.x, 9);
  expect(after.y).toBeCloseTo(under.y, 9);
});
