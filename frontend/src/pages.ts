// Full pages of the rating room where no image is shown: start, end, and obstacles.
import type { StudyInfo } from "./api";
import { make, written } from "./dom";
import { listLessons } from "./lesson";
import { timeLeft } from "./rating";
import { makeKeyCard } from "./sheets";
import { listWords } from "./words";

export interface StartActions {
  start(): void;
  review(): void;
}

/** Where one goes from the room, and the words that say so. */
export interface WayOut {
  readonly href: string;
  readonly words: string;
}

export function startPage(study: StudyInfo, home: WayOut, actions: StartActions): HTMLElement {
  const begun = study.done + study.practice.done > 0;
  const left = study.total - study.done;
  const time = timeLeft(study.seconds_left);
  const button = make("button", { type: "button", class: "primary", onclick: actions.start },
    begun ? "Continue rating" : "Start rating");
  const where = begun ? `${study.done} of ${study.total} rated, ${left} to go` : `${study.total} to rate`;
  return page(
    study.title,
    make("p", { class: "lead" }, sitting(study), time ? `${where}, ${time}.` : `${where}.`),
    make("div", { class: "go" }, button,
      study.revisable && study.done > 0 && make("button",
        { type: "button", class: "plain", onclick: actions.review }, "Look at your answers"),
      ...leaveLink(home)),
    ...deadlinePart(study),
    ...listWords(study.words, "h2"),
    ...practicePart(study),
    ...(study.instructions.trim()
      ? [make("h2", {}, "Instructions"), written(study.instructions)] : []),
    ...scaleCard(study),
    make("h2", {}, "Keys and mouse"),
    make("p", { class: "prose" }, "A score counts once you confirm it. All this also works by mouse, from the column beside the image."),
    makeKeyCard(study),
    ...noticePart(study),
  );
}

function scaleCard(study: StudyInfo): HTMLElement[] {
  const rows = study.scale.map(({ value, anchor }) =>
    make("div", {}, make("dt", {}, String(value)), make("dd", {}, anchor)));
  const questions = study.questions.map(({ text }) => make("p", { class: "prose" }, text));
  return [make("h2", {}, "Scale"), ...questions, make("dl", { class: "anchors" }, ...rows)];
}

function deadlinePart({ deadline }: StudyInfo): HTMLElement[] {
  if (!deadline) return [];
  const day = new Date(`${deadline}T00:00:00Z`).toLocaleDateString("en-GB",
    { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return [make("p", { class: "prose until" }, `Please finish by ${day}. A later score is saved like any other.`)];
}

/** "Session 1 of 2: ", where there is more than one. */
function sitting({ session }: StudyInfo): string {
  return session.of > 1 ? `Session ${session.number} of ${session.of}: ` : "";
}

function practicePart(study: StudyInfo): HTMLElement[] {
  const { done, total } = study.practice;
  if (total === 0) return [];
  const left = total - done;
  const words = left === 0
    ? "You have finished the practice items. Your answers are below, each beside the reference that the coordinator wrote down."
    : `${left} practice ${left === 1 ? "item comes" : "items come"} first. After each you see the reference that the coordinator wrote down. Practice is scored apart and is no part of the study's results.`;
  return [make("h2", {}, "Practice"), make("p", { class: "prose" }, words),
    make("div", { class: "lesson" }, ...listLessons(study))];
}

/** What is recorded about how a rater works, told before any of it is. */
function noticePart(study: StudyInfo): HTMLElement[] {
  const to = study.contact ? `the coordinator (${study.contact})` : "the coordinator";
  const facts = [
    "Your answers, reasons and comments, and what you write to the coordinator.",
    "For each item: the time you are active, which stops after a minute without input or when the page is not in front; how many slices you visit; how often you change the window or hide the mask; the zoom; and the size of your screen.",
    "An item is marked “rated without looking” when no other slice was visited or the mask was never on the screen.",
  ];
  return [
    make("h2", {}, "What is recorded"),
    make("ul", { class: "prose facts" }, ...facts.map((fact) => make("li", {}, fact))),
    make("p", { class: "prose" }, `Nothing else about you or your computer is recorded. During the study ${to} sees how far you are, your times, these marks and why you could not rate an item, and reads what you write under F, never your scores; other raters see nothing of yours. In publications you appear by a code. Scores not yet sent are kept in this browser until the server has them, and those it refused until you have noted it.`),
  ];
}

/** After the last item: first what is left to do, and thanks once that is nothing. */
export function endPage(
  study: StudyInfo,
  home: WayOut,
  sign: HTMLElement | false,
  answers: HTMLElement | false,
): HTMLElement {
  const { session, title, total } = study;
  const items = `${total} ${total === 1 ? "item" : "items"}`;
  const words = session.of > 1
    ? `Session ${session.number} of ${session.of} of “${title}” is rated and saved: ${items}.`
    : total === 1 ? `The one item of “${title}” is rated and saved.`
    : `All ${items} of “${title}” are rated and saved.`;
  return page(sayLeft(study),
    make("p", { class: "lead" }, words),
    sign,
    ...[...tellQuestions(study), ...tellWhatNext(study)].map((text) => make("p", { class: "prose" }, text)),
    make("div", { class: "go" }, ...waysOn(study), ...leaveLink(home)),
    answers && make("h2", {}, "Your answers"), answers,
    ...listWords(study.words, "h2"));
}

/** "One thing is left: 3 short questions", or thanks. */
export function sayLeft(study: StudyInfo): string {
  const left = listLeft(study);
  const here = study.session.next ? " in this session" : "";
  if (left.length === 0) return "Thank you";
  if (left.length === 1) return `One thing is left${here}: ${left[0]}`;
  return `${left.length === 2 ? "Two" : "Three"} things are left: ${left.slice(0, -1).join(", ")} and ${left.at(-1)}`;
}

function listLeft({ signed, session, guess_left }: StudyInfo): string[] {
  const own = signed ? [] : ["your sign-off"];
  if (session.next) return own;
  return [
    ...own,
    ...(session.unsigned ? [`the sign-off of session ${session.unsigned.number}`] : []),
    ...(guess_left > 0 ? [sayQuestions(guess_left)] : []),
  ];
}

function sayQuestions(count: number): string {
  return count === 1 ? "1 short question" : `${count} short questions`;
}

/** What they ask is told only when scores are final, so that it can't sway a change. */
function tellQuestions({ guess, guess_left, session }: StudyInfo): string[] {
  if (session.next || guess_left === 0) return [];
  if (guess !== "open") return [`After the sign-off ${sayQuestions(guess_left)} ${guess_left === 1 ? "follows" : "follow"}.`];
  return [`For ${guess_left} of the masks that you rated you are asked what you think drew it: a person or a program. You see each mask again. Your scores stay as they are.`];
}

function tellWhatNext(study: StudyInfo): string[] {
  if (study.session.next) {
    return ["Take a break before the next session; it waits for you as long as the study is open."];
  }
  if (listLeft(study).length === 0) return ["You can close this page."];
  return ["Nothing is lost if you do it later, as long as the study is open."];
}

function waysOn({ session, guess, guess_left }: StudyInfo): HTMLElement[] {
  const way = (href: string, words: string) => make("a", { class: "primary", href }, words);
  if (session.next) return [way(`/rate/${session.next}/`, "Open the next session")];
  return [
    ...(session.unsigned ? [way(`/rate/${session.unsigned.key}/`, `Open session ${session.unsigned.number}`)] : []),
    ...(guess === "open" ? [way("sources/", `Answer ${sayQuestions(guess_left)}`)] : []),
  ];
}

export function reviewPage(
  study: StudyInfo,
  list: HTMLElement,
  back: () => void,
): HTMLElement {
  return page("Your answers",
    make("p", { class: "lead" }, `“${study.title}”: you can change what you gave until you sign off the session.`),
    make("div", { class: "go" },
      make("button", { type: "button", class: "primary", onclick: back }, "Back to rating")),
    list);
}

/** A session whose turn has not come. */
export function laterPage({ session, title }: StudyInfo, home: WayOut): HTMLElement {
  return page(title,
    make("p", { class: "lead" }, `This is session ${session.number} of ${session.of}. Finish the one before it first.`),
    make("div", { class: "go" },
      make("a", { class: "primary", href: `/rate/${session.before}/` }, "Open that session"),
      ...leaveLink(home)));
}

export function closedPage(title: string, state: string, home: WayOut): HTMLElement {
  const over = state === "closed" || state === "unblinded";
  const words = over
    ? "This study is closed. No more scores can be given; those that were saved are kept."
    : "This study is not open for rating yet. The coordinator will tell you when it is.";
  return page(title, make("p", { class: "lead" }, words), ...wayHome(home));
}

export function failurePage(reason: string, retry: () => void): HTMLElement {
  return page("The rating room could not be opened",
    make("p", { class: "lead", role: "alert" }, reason),
    make("p", { class: "prose" }, "Nothing you confirmed is lost. Check the connection, then try again."),
    make("div", { class: "go" },
      make("button", { type: "button", class: "primary", onclick: retry }, "Try again")));
}

export function signedOutPage(signIn: string): HTMLElement {
  return page("You are signed out",
    make("p", { class: "lead", role: "alert" }, "Sign in to go on where you left off."),
    make("p", { class: "prose" }, "What you chose and what is not sent yet is kept in this browser and sent after you sign in."),
    make("div", { class: "go" }, make("a", { class: "primary", href: signIn }, "Sign in")));
}

export function waitPage(): HTMLElement {
  return make("div", { class: "page" }, make("p", { class: "lead", role: "status" }, "Opening the rating room…"));
}

function page(title: string, ...content: (HTMLElement | false)[]): HTMLElement {
  return make("div", { class: "page" }, make("h1", {}, title), ...content);
}

function wayHome(home: WayOut): HTMLElement[] {
  return [make("div", { class: "go" }, ...leaveLink(home))];
}

function leaveLink(home: WayOut): HTMLElement[] {
  return home.href ? [make("a", { class: "plain", href: home.href }, home.words)] : [];
}
