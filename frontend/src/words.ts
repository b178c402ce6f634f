// Words between a rater and the coordinators: the sheet to write them, and their answers.
import { readWords, sendWords, type Words, type WordsKind } from "./api";
import { make, setText } from "./dom";
import { openSheet } from "./sheets";

const KINDS: readonly (readonly [WordsKind, string])[] = [
  ["problem", "Something is wrong with this image or this page"],
  ["question", "I have a question"],
];
const SENT: Record<WordsKind, string> = {
  problem: "The problem was reported",
  question: "Your question was sent; the answer comes here, under F",
};

/** Stays open with its text when sending fails; `read` hears how many answers were shown. */
export function openWordsSheet(
  base: string,
  token: string,
  done: (said: string) => void,
  read: (answers: number) => void,
): void {
  const kinds = KINDS.map(([kind, label], i) => {
    const input = make("input", { type: "radio", name: "kind", value: kind, checked: i === 0 });
    return { kind, input, label: make("label", { class: "reason" }, input, label) };
  });
  const text = make("textarea", { rows: 6, required: true, maxlength: 2000, id: "words-text" });
  const state = make("p", { class: "hint", role: "status" });
  const submit = make("button", { type: "submit", class: "primary" }, "Send to the coordinator");
  const given = make("div", {});
  const form = make("form", {},
    make("fieldset", { class: "kinds" }, make("legend", {}, "What is it?"),
      ...kinds.map(({ label }) => label)),
    make("label", { for: "words-text" }, "In your words"), text, state, submit);
  const sheet = openSheet("Ask or report", form, given);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit.disabled = true;
    setText(state, "Sending…");
    const kind = kinds.find(({ input }) => input.checked)?.kind ?? "problem";
    sendWords(base, token, kind, text.value).then(() => {
      sheet.close();
      done(SENT[kind]);
    }, (error: Error) => {
      submit.disabled = false;
      setText(state, `Not sent: ${error.message} Try again.`);
    });
  });
  text.focus();
  // Without a connection the sheet still takes words down; only the list is missing.
  readWords(base).then((words) => {
    given.replaceChildren(...listWords(words, "h3"));
    read(countAnswers(words));
  }, () => undefined);
}

export function countAnswers(words: readonly Words[]): number {
  return words.reduce((sum, { answers }) => sum + answers.length, 0);
}

/** What was written so far, each with its answers, under a heading; nothing if nothing was. */
export function listWords(words: readonly Words[], heading: "h2" | "h3"): HTMLElement[] {
  if (words.length === 0) return [];
  return [make(heading, {}, "What you wrote so far"), ...words.map(describe)];
}

function describe({ session, position, practice, text, kind, answers }: Words): HTMLElement {
  const place = `${practice ? "Practice item" : "Item"} ${position}${session > 1 ? `, session ${session}` : ""}`;
  const waiting = kind === "question" && answers.length === 0 && make("p", { class: "place" }, "No answer yet");
  return make("div", { class: "words" },
    make("p", { class: "place" }, place), make("p", { class: "said" }, text), waiting,
    ...answers.map((answer) => make("blockquote", {},
      make("p", { class: "place" }, "The coordinator"), make("p", { class: "said" }, answer.text))));
}
