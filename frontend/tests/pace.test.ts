import { expect, test } from "vitest";
import { measurePace, sayLeft } from "../src/desk/pace";

function makeClock() {
  const clock = { at: 0 };
  return { clock, pace: measurePace(() => clock.at) };
}

test("nothing is said in the first seconds, then the time by the pace so far", () => {
  const { clock, pace } = makeClock();
  for (; clock.at < 2; clock.at += 0.5) pace.add(500);
  expect(pace.secondsFor(10_000)).toBeNull();
  for (; clock.at < 10; clock.at += 0.5) pace.add(500);
  expect(pace.secondsFor(10_000)).toBeCloseTo(10, 0);
});

test("one fast second changes little", () => {
  const { clock, pace } = makeClock();
  for (; clock.at < 20; clock.at += 0.5) pace.add(500);
  pace.add(5000);
  const seconds = pace.secondsFor(60_000)!;
  expect(seconds).toBeGreaterThan(45);
  expect(seconds).toBeLessThan(60);
});

test("a line that stands still makes the time longer, and then unknown", () => {
  const { clock, pace } = makeClock();
  for (; clock.at < 20; clock.at += 0.5) pace.add(500);
  const before = pace.secondsFor(60_000)!;
  clock.at += 10;
  expect(pace.secondsFor(60_000)!).toBeGreaterThan(before * 1.3);
  clock.at += 60;
  expect(pace.secondsFor(60_000)).toBeNull();
});

test("the longer it takes, the rounder it is told", () => {
  expect([20, 65, 175, 19 * 60].map(sayLeft)).toEqual([
    "less than a minute left", "about 1 min left", "about 3 min left", "about 19 min left",
  ]);
  expect([23 * 60, 57 * 60, 60 * 60, 130 * 60].map(sayLeft)).toEqual([
    "about 25 min left", "about 55 min left", "about 1 h left", "about 2 h 10 min left",
  ]);
});
