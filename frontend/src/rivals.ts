// Two windows gave an answer to one item: both are shown, and the rater decides.
import type { StudyInfo } from "./api";
import { make } from "./dom";
import type { Outbox } from "./outbox";
import { reasonOf, sayValue } from "./rating";
import { openSheet } from "./sheets";
import type { Entry } from "./store";
import { makeKey } from "./submission";

export function showRival(entry: Entry, study: StudyInfo, outbox: Outbox, done: () => void): void {
  const { stored, body, token, url, place } = entry;
  if (!stored) return;
  const keep = make("button", { type: "button", class: "primary" }, "Keep what is stored");
  const change = make("button", { type: "button", class: "plain" }, "Change it to the answer here");
  const sheet = openSheet("Two answers to one item",
    make("p", {}, "This item was answered in another window as well. That answer is stored; the one from this window is not."),
    make("div", { class: "lesson" }, ...study.questions.flatMap(({ key, text }) => {
      const mine = body.answers[key];
      const here = mine && "value" in mine ? sayValue(mine.value, study.scale)
        : `cannot rate: ${reasonOf({ ...body, answers: body.answers }) ?? ""}`;
      const there = stored.answers[key];
      const kept = there?.value != null ? sayValue(there.value, study.scale)
        : `cannot rate: ${there?.reason ?? ""}`;
      return [make("p", { class: "question" }, text), make("dl", {},
        make("div", {}, make("dt", {}, "Stored"), make("dd", {}, kept)),
        make("div", {}, make("dt", {}, "Here"), make("dd", {}, here)))];
    })),
    make("div", { class: "go" }, keep, study.revisable && !study.signed && change));
  const end = async () => {
    await outbox.settle(entry);
    sheet.close();
    done();
  };
  keep.addEventListener("click", () => void end());
  change.addEventListener("click", () => {
    const reason = study.change_reason ? "Chosen between answers from two windows" : "";
    const next = { ...body, client_key: makeKey(), base_revision: stored.revision,
      change_reason: reason };
    void outbox.post([{ token, url, place, body: next }]).then(end);
  });
  keep.focus();
}
