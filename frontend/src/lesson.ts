// A practice item after its answer: what the coordinator would have given it.
import type { Lesson, StudyInfo } from "./api";
import { make } from "./dom";
import { nameItems } from "./exhibit";
import { sayValue } from "./rating";

export function describeLesson(
  stage: "awaited" | "shown",
  lessons: readonly Lesson[],
  study: StudyInfo,
): HTMLElement[] {
  if (stage === "awaited") return [make("p", {}, "The reference is shown once your answer is saved.")];
  const names = lessons.length > 1 ? nameItems(lessons.length) : [""];
  return lessons.flatMap((lesson, i) => [
    make("h2", {}, names[i] ? `Practice: ${names[i].toLowerCase()}` : "Practice"),
    ...compare(lesson, study),
  ]);
}

/** The practice so far, for the start page. */
export function listLessons(study: StudyInfo): HTMLElement[] {
  return study.learned.flatMap((lesson, i) => [
    make("h3", {}, `Practice item ${i + 1}`), ...compare(lesson, study)]);
}

function compare({ own, reference }: Lesson, { questions, scale }: StudyInfo): HTMLElement[] {
  if (!reference) return [make("p", {}, "There is no reference for this one.")];
  const rows = questions.map(({ key, text }) => make("div", {},
    questions.length > 1 && make("p", { class: "question" }, text),
    make("dl", {},
      make("div", {}, make("dt", {}, "Reference"),
        make("dd", {}, sayValue(reference.values[key] ?? null, scale) || "none")),
      make("div", {}, make("dt", {}, "You"),
        make("dd", {}, sayValue(own[key] ?? null, scale) || "cannot rate")))));
  return [...rows, ...(reference.note ? [make("p", { class: "prose" }, reference.note)] : [])];
}
