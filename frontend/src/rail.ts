// The rail beside the image: position, answers, Confirm, save state, view, footer.
import type { Lesson, Presentation, Progress, StudyInfo } from "./api";
import { makeItems } from "./items";
import { describeLesson } from "./lesson";
import { makeControls, type ControlActions, type Controls } from "./controls";
import { make, setText } from "./dom";
import { makeFoot } from "./foot";
import type { SaveState } from "./outbox";
import { makeAnswers, type AnswerActions, type AnswerPart } from "./questions";
import { timeLeft } from "./rating";

export interface RailActions extends AnswerActions, ControlActions {
  turnTo(item: number): void;
  confirm(): void;
  pause(): void;
  problem(): void;
  help(): void;
}

export interface Rail {
  readonly element: HTMLElement;
  readonly answers: AnswerPart;
  readonly controls: Controls;
  showPosition(presentation: Presentation, progress: Progress): void;
  /** Which of several items is rated; `choose` when the rater can turn to any. */
  showItems(names: readonly string[], said: readonly string[], now: number, choose: boolean): void;
  showLesson(stage: "awaited" | "shown" | null, lessons: readonly Lesson[]): void;
  showReady(ready: boolean): void;
  showSave(state: SaveState | "fresh" | "chosen"): void;
  /** From the top again, as at the first item. */
  toTop(): void;
  /** A sentence that stays until it no longer holds, with one way on. */
  notice(text: string, link?: { label: string; href: string }): void;
}

const SAVE_WORDS: Record<SaveState | "fresh" | "chosen", string> = {
  fresh: "",
  chosen: "Not confirmed yet",
  saved: "Saved",
  saving: "Saving…",
  offline: "Not saved yet: offline, will retry",
  busy: "Not saved yet: the server is busy, will retry",
  "signed-out": "Not saved yet: signed out",
};

export function makeRail(study: StudyInfo, actions: RailActions, changing: boolean): Rail {
  const position = makePosition();
  const answers = makeAnswers(study, actions, changing);
  const controls = makeControls(actions);
  const items = makeItems(actions.turnTo);
  const lesson = make("div", { class: "lesson", role: "status" });
  const ask = changing ? "Confirm the change" : "Confirm";
  const word = make("span", {}, ask);
  const confirm = make("button", { type: "button", class: "confirm", onclick: actions.confirm },
    word, make("kbd", {}, "Enter"));
  const save = make("p", { class: "save", role: "status" });
  const notice = make("div", { class: "notice", role: "alert" });
  const body = make("div", { class: "rail-body" },
    position.element, notice, items.element, ...answers.elements, lesson,
    make("div", { class: "submit" }, confirm, save), controls.element);
  const foot = makeFoot([changing ? "Back" : "Pause", "P", actions.pause],
    ["Ask or report", "F", actions.problem], ["Keys", "?", actions.help]);
  const element = make("section", { class: "rail", "aria-label": "Rating" },
    make("h1", { class: "hidden" }, study.title), body, foot);

  return {
    element,
    answers,
    controls,
    showPosition: position.show,
    showItems: items.show,
    showLesson(stage, lessons) {
      lesson.replaceChildren(...(stage ? describeLesson(stage, lessons, study) : []));
      setText(word, stage ? "Go on" : ask);
      if (stage) confirm.setAttribute("aria-disabled", String(stage === "awaited"));
    },
    showReady: (ready) => confirm.setAttribute("aria-disabled", String(!ready)),
    showSave(state) {
      save.dataset.state = state;
      setText(save, SAVE_WORDS[state]);
    },
    toTop: () => void (body.scrollTop = 0),
    notice(text, link) {
      const way = link && make("a", { href: link.href }, link.label);
      notice.replaceChildren(...(text ? [make("p", {}, text)] : []), ...(way ? [way] : []));
    },
  };
}

function makePosition() {
  const place = make("strong");
  const left = make("span");
  const bar = make("span");
  const track = make("div", { class: "track", "aria-hidden": "true" }, bar);
  const element = make("div", { class: "position" }, make("p", {}, place, left), track);
  const show = ({ position, practice }: Presentation, progress: Progress) => {
    const { done, total } = practice ? progress.practice : progress;
    const time = practice ? "not part of the study" : timeLeft(progress.seconds_left);
    setText(place, `${practice ? "Practice " : ""}${position} / ${total}`);
    setText(left, time && ` · ${time}`);
    bar.style.width = `${(100 * done) / Math.max(1, total)}%`;
  };
  return { element, show };
}
