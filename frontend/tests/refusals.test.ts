import { expect, test } from "vitest";
import type { Answer } from "../src/api";
import { sayRefusals, sayScore } from "../src/refusals";
import type { Entry } from "../src/store";

const scale = [{ value: 4, anchor: "good" }, { value: 5, anchor: "excellent" }];
const one = [{ key: "quality", text: "How good is it?" }];
const two = [...one, { key: "edges", text: "And its edges?" }];

const entry = (answers: Record<string, Answer>, place?: string) =>
  ({ place, body: { answers, comment: "", marks: [] } }) as unknown as Entry;

test("a score is named by its item's number and in the words of the scale", () => {
  expect(sayScore(entry({ quality: { value: 4 } }, "Item 3"), { questions: one, scale })).toBe("Item 3: 4 good");
  expect(sayScore(entry({ quality: { reason: "other" } }, "Item 3"), { questions: one, scale }))
    .toBe("Item 3: cannot rate");
});

test("of several questions each is said", () => {
  const said = entry({ quality: { value: 4 }, edges: { value: 5 } }, "Item 3");
  expect(sayScore(said, { questions: two, scale })).toBe(
    "Item 3: How good is it? 4 good; And its edges? 5 excellent");
});

test("a score that an earlier version wrote down has no number", () => {
  expect(sayScore(entry({ quality: { value: 4 } }), { questions: one, scale })).toBe("An item: 4 good");
});

test("the remedy names the coordinator where the study does", () => {
  expect(sayRefusals(1, "")).toEqual({
    title: "A score was not stored.",
    remedy: "If it should count, write this to the coordinator.",
  });
  expect(sayRefusals(2, "ada@example.org").remedy).toContain("they should count, write this to the coordinator (ada@example.org)");
  expect(sayRefusals(2, "").title).toBe("2 scores were not stored.");
});
