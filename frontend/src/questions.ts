// The part of the rail where a rater answers: scores, "cannot rate" and a comment.
import type { Anchor, MarkKind, Question, StudyInfo } from "./api";
import { make, setText } from "./dom";
import { reasonOf, valueOf, type Rating } from "./rating";

export interface AnswerActions {
  choose(question: string, value: number): void;
  chooseReason(reason: string): void;
  mark(mark: string): void;
  comment(text: string): void;
  explain(why: string): void;
  clear(): void;
}

export interface AnswerPart {
  readonly elements: HTMLElement[];
  show(rating: Rating): void;
  enable(enabled: boolean): void;
  /** One line under the scale, read out; `shake` for a key outside the scale. */
  hint(text: string, shake?: boolean): void;
  /** Scrolls a question to where it can be seen. */
  reveal(question: string): void;
  openReasons(): void;
  openMarks(): void;
  openComment(): void;
  askWhy(): void;
  /** Closes what was opened and left empty. */
  foldEmpty(): void;
  /** The question that holds the keyboard's focus. */
  focused(): string | null;
}

/** `changing`: given answers are being changed, not given for the first time. */
export function makeAnswers(
  study: StudyInfo,
  actions: AnswerActions,
  changing: boolean,
): AnswerPart {
  const scales = study.questions.map((one) => makeScale(one, study.scale, actions));
  const reasons = makeReasons(study.reasons, actions);
  const marks = makeMarks(study.marks, actions);
  const text = make("textarea", { rows: 3, maxlength: 2000, "aria-label": "Comment" });
  text.addEventListener("input", () => actions.comment(text.value));
  const comment = makeFold("Comment", "C", text);
  const why = make("textarea", { rows: 2, maxlength: 500, id: "why" });
  why.addEventListener("input", () => actions.explain(why.value));
  const reason = make("div", { class: "why" },
    make("label", { for: "why" }, "Why do you change it?"), why);
  const hint = make("p", { class: "hint", role: "status" });
  const clear = make("button", { type: "button", class: "quiet", onclick: actions.clear }, "Clear");
  const under = make("div", { class: "under-scale" }, hint, clear);
  const several = scales.length > 1;
  const group = make("div", { class: several ? "scales in-rows" : "scales" },
    several && makeScaleWords(study.scale), ...scales.map((scale) => scale.element));

  return {
    elements: [
      group, under,
      ...(study.marks.length ? [marks.fold] : []),
      ...(study.reasons.length ? [reasons.fold] : []),
      comment,
      ...(changing && study.change_reason ? [reason] : []),
    ],
    show(rating) {
      const next = several ? study.questions.findIndex(({ key }) => !(key in rating.answers)) : -1;
      scales.forEach((scale, i) => scale.show(rating, i === next));
      marks.show(rating.marks);
      reasons.show(reasonOf(rating));
      if (text.value !== rating.comment) text.value = rating.comment;
      comment.classList.toggle("filled", rating.comment !== "");
      if (why.value !== (rating.why ?? "")) why.value = rating.why ?? "";
      clear.hidden = Object.keys(rating.answers).length === 0;
    },
    enable(enabled) {
      for (const scale of scales) scale.element.disabled = !enabled;
      reasons.group.disabled = marks.group.disabled = text.disabled = !enabled;
      clear.disabled = !enabled;
    },
    hint(words, shake = false) {
      setText(hint, words);
      if (shake) replayClass(group, "shake");
    },
    reveal(question) {
      scales.find((scale) => scale.key === question)?.element.scrollIntoView({ block: "nearest" });
    },
    openReasons() {
      reasons.fold.open = true;
      (reasons.group.querySelector<HTMLElement>("input:checked, input"))?.focus();
    },
    openMarks() {
      marks.fold.open = true;
      marks.group.querySelector("input")?.focus();
    },
    openComment() {
      comment.open = true;
      text.focus();
    },
    askWhy: () => why.focus(),
    foldEmpty() {
      for (const fold of [reasons.fold, marks.fold, comment]) {
        if (!fold.classList.contains("filled")) fold.open = false;
      }
    },
    focused: () => document.activeElement?.closest<HTMLElement>("[data-question]")
      ?.dataset.question ?? null,
  };
}

function makeScale(question: Question, scale: readonly Anchor[], actions: AnswerActions) {
  const inputs = scale.map(({ value }) =>
    make("input", { type: "radio", name: question.key, value, onchange: () =>
      actions.choose(question.key, value) }));
  const rows = scale.map(({ value, anchor }, i) =>
    make("label", { class: "score" }, inputs[i],
      make("span", { class: "number" }, String(value)),
      make("span", { class: "anchor" }, anchor)));
  const legend = make("legend", {}, question.text);
  const element = make("fieldset", { "data-question": question.key }, legend,
    make("div", { class: "points" }, ...rows));
  /** `next`: a digit answers this one of several. */
  const show = (rating: Rating, next: boolean) => {
    const value = valueOf(rating, question.key);
    inputs.forEach((input, i) => (input.checked = scale[i].value === value));
    if (next) element.setAttribute("aria-current", "step");
    else element.removeAttribute("aria-current");
  };
  return { key: question.key, element, show };
}

/** Several questions show bare numbers, all with the same words, which stand here once. */
function makeScaleWords(scale: readonly Anchor[]): HTMLElement {
  return make("p", { class: "scale-words" }, ...scale.map(({ value, anchor }) =>
    make("span", {}, make("strong", {}, String(value)), ` ${anchor}`)));
}

function makeReasons(reasons: readonly string[], actions: AnswerActions) {
  const inputs = reasons.map((reason) =>
    make("input", { type: "radio", name: "cannot-rate", value: reason, onchange: () =>
      actions.chooseReason(reason) }));
  const rows = reasons.map((reason, i) => make("label", { class: "reason" }, inputs[i], reason));
  const legend = make("legend", { class: "hidden" }, "Why it cannot be rated");
  const group = make("fieldset", { class: "reasons" }, legend, ...rows);
  const fold = makeFold("Cannot rate", "N", group);
  const show = (chosen: string | null) => {
    inputs.forEach((input, i) => (input.checked = reasons[i] === chosen));
    fold.classList.toggle("filled", chosen !== null);
  };
  return { fold, group, show };
}

function makeMarks(kinds: readonly MarkKind[], actions: AnswerActions) {
  const inputs = kinds.map(({ key }) =>
    make("input", { type: "checkbox", onchange: () => actions.mark(key) }));
  const rows = kinds.map(({ text }, i) => make("label", { class: "reason" }, inputs[i], text));
  const legend = make("legend", { class: "hidden" }, "What is wrong with it");
  const group = make("fieldset", { class: "reasons" }, legend, ...rows);
  const fold = makeFold("What is wrong", "W", group);
  const show = (chosen: readonly string[]) => {
    inputs.forEach((input, i) => (input.checked = chosen.includes(kinds[i].key)));
    fold.classList.toggle("filled", chosen.length > 0);
  };
  return { fold, group, show };
}

function makeFold(label: string, key: string, content: HTMLElement): HTMLDetailsElement {
  const summary = make("summary", {}, make("span", {}, label), make("kbd", {}, key));
  return make("details", { class: "fold" }, summary, content);
}

function replayClass(element: HTMLElement, name: string): void {
  element.classList.remove(name);
  void element.offsetWidth; // lets the animation start over
  element.classList.add(name);
}
