import { expect, test } from "vitest";
import { startClock } from "../src/clock";
import {
  chooseReason,
  chooseValue,
  clearAnswers,
  EMPTY,
  isComplete,
  isEmpty,
  isInScale,
  openQuestion,
  reasonOf,
  sayAnswer,
  scaleRange,
  timeLeft,
  toggleMark,
  valueOf,
} from "../src/rating";

const questions = [{ key: "quality", text: "How good?" }, { key: "edges", text: "Edges?" }];
const scale = [1, 2, 3, 4, 5].map((value) => ({ value, anchor: `anchor ${value}` }));

test("a rating is complete when every question has an answer", () => {
  const one = chooseValue(EMPTY, "quality", 4);
  expect(isComplete(one, questions)).toBe(false);
  expect(isComplete(chooseValue(one, "edges", 2), questions)).toBe(true);
});

test("digits go to the focused question, else to the first open one", () => {
  const one = chooseValue(EMPTY, "quality", 4);
  expect(openQuestion(EMPTY, questions, null).key).toBe("quality");
  expect(openQuestion(one, questions, null).key).toBe("edges");
  expect(openQuestion(one, questions, "quality").key).toBe("quality");
});

test("a reason stands for all questions and a score takes its place", () => {
  const reason = chooseReason(chooseValue(EMPTY, "quality", 4), questions, "image unusable");
  expect(isComplete(reason, questions)).toBe(true);
  expect(valueOf(reason, "quality")).toBeNull();
  const scored = chooseValue(reason, "edges", 3);
  expect(reasonOf(scored)).toBeNull();
  expect(scored.answers).toEqual({ edges: { value: 3 } });
});

test("clearing takes the answers and leaves the comment", () => {
  const rating = { ...chooseValue(EMPTY, "quality", 1), comment: "see C3" };
  expect(clearAnswers(rating)).toEqual({ answers: {}, comment: "see C3", marks: [] });
});

test("what is wrong can be ticked and unticked beside a score", () => {
  const both = toggleMark(toggleMark(chooseValue(EMPTY, "quality", 2), "missed"), "false");
  expect(both.marks).toEqual(["missed", "false"]);
  expect(toggleMark(both, "missed").marks).toEqual(["false"]);
  expect(isEmpty(toggleMark(EMPTY, "missed"))).toBe(false);
  expect(isComplete(toggleMark(EMPTY, "missed"), questions)).toBe(false);
});

test("an answer is said in the words of the scale", () => {
  expect(sayAnswer(chooseValue(EMPTY, "quality", 4), "quality", scale)).toBe("4 anchor 4");
  expect(sayAnswer(chooseReason(EMPTY, questions, "x"), "quality", scale)).toBe("cannot rate");
  expect(sayAnswer(EMPTY, "quality", scale)).toBe("");
});

test("only values of the scale are in it", () => {
  expect([0, 1, 5, 6, 9].map((value) => isInScale(value, scale)))
    .toEqual([false, true, true, false, false]);
  expect(scaleRange(scale)).toBe("1–5");
  expect(scaleRange(scale.filter(({ value }) => value !== 2))).toBe("1, 3, 4, 5");
});

test.each([
  [null, ""],
  [30, "less than 1 min left"],
  [1260, "about 21 min left"],
  [6300, "about 1 h 45 min left"],
])("%j seconds are said as %j", (seconds, words) => {
  expect(timeLeft(seconds)).toBe(words);
});

test("idle minutes and time away do not count as active", () => {
  const clock = startClock(0);
  clock.touch(10_000);
  clock.touch(10_000 + 600_000);
  expect(clock.read(610_000)).toBe(70_000);
  clock.setPresent(false, 612_000);
  clock.setPresent(true, 900_000);
  expect(clock.read(905_000)).toBe(77_000);
  clock.restart(905_000);
  expect(clock.read(906_000)).toBe(1_000);
});
