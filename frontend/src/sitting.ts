// A sitting: one presentation after the other is shown, rated, confirmed, moved on from.
import {
  isAbort,
  readNext,
  readStudy,
  RequestError,
  type Presentation,
  type Rated,
  type Receipt,
  type StudyInfo,
} from "./api";
import { activate, choose, chooseDigit, confirmAnswers, rate, showRating } from "./answering";
import type { Command } from "./keys";
import type { Loaded } from "./loading";
import { openPanes } from "./panes";
import type { SaveState } from "./outbox";
import { makeRail, type Rail } from "./rail";
import * as rating from "./rating";
import { EMPTY } from "./rating";
import type { Room } from "./room";
import { makeKeyCard, openKeySheet } from "./sheets";
import { activeItem, firstState, tokenOf, type Exits, type State } from "./state";
import type { Draft, Entry } from "./store";
import { openWordsSheet } from "./words";

export interface Sitting {
  obey(command: Command): void;
  showSave(state: SaveState): void;
  showReceipt(receipt: Receipt, entry: Entry): void;
  /** The score of this item will never be stored. */
  showRefusal(token: string): void;
  showMaskAgain(): void;
  toImage(): void;
  escape(): void;
  /** The network is back: what failed to load is tried again. */
  retry(): void;
  close(): void;
}

/** With `review`, the answers given to one presentation are changed instead. */
export function openSitting(
  room: Room,
  study: StudyInfo,
  exits: Exits,
  review: Rated | null = null,
): Sitting {
  const panes = openPanes(
    () => rail.controls.show(panes.display()),
    (pane) => activate(state, pane),
  );
  const rail: Rail = makeRail(study, {
    choose: (question, value) => choose(state, question, value),
    chooseReason: (reason) =>
      rate(state, (now) => rating.chooseReason(now, study.questions, reason)),
    mark: (mark) => rate(state, (now) => rating.toggleMark(now, mark)),
    comment: (comment) => rate(state, (now) => ({ ...now, comment })),
    explain: (why) => rate(state, (now) => ({ ...now, why })),
    clear: () => rate(state, rating.clearAnswers),
    turnTo: (item) => turnTo(state, item),
    command: (command) => void panes.obey(command),
    set: (change) => panes.set(change),
    confirm: () => void confirm(state),
    pause: exits.leave,
    problem: () => report(state),
    help: () => openKeySheet(makeKeyCard(study)),
  }, review !== null);
  const state = firstState({ room, study, exits, panes, rail, review });
  rail.controls.show(null);
  clearScreen(state, null);
  room.root.replaceChildren(panes.element, rail.element);
  panes.focus();
  void (review ? present(state, review) : askNext(state));
  return sittingOf(state);
}

function sittingOf(state: State): Sitting {
  return {
    obey: (command) => obey(state, command),
    showSave: (save) => showSave(state, save),
    showReceipt: (receipt, entry) => showReceipt(state, receipt, entry),
    showRefusal: (token) => showRefusal(state, token),
    showMaskAgain: () => state.panes.hold(false),
    toImage: () => state.panes.focus(),
    escape() {
      state.rail.answers.foldEmpty();
      state.panes.focus();
    },
    retry: () => state.retry?.(),
    close: () => void (state.over = true),
  };
}

/** Learns from the server which item is current and makes the screen agree. */
async function askNext(state: State): Promise<void> {
  const { room, confirmed, exits } = state;
  if (state.review) return;
  try {
    if (state.doubted && (await readStudy(room.base)).state !== "collecting") return exits.leave();
    state.doubted = false;
    const next = await readNext(room.base);
    if (state.over || state.confirmed !== confirmed || state.lesson) return;
    state.progress = next;
    state.ahead = next.ahead;
    if (!next.current) return exits.finish();
    tellAnswers(state, next.answers);
    if (tokenOf(next.current) !== tokenOf(state.shown)) return await present(state, next.current);
    state.rail.showPosition(next.current, next);
    if (state.ready) fetchAhead(state);
  } catch (error) {
    if (!state.over) stumble(state, error);
  }
}

/** Said after each item until the answer was looked at. */
function tellAnswers(state: State, answers: number): void {
  if (answers <= state.answers || state.signedOut) return;
  state.rail.notice("The coordinator has answered you. Press F, or Ask or report below, to read it.");
}

/** "Next" failed: with an image on the screen the rater goes on, else is told why not. */
function stumble(state: State, error: unknown): void {
  if (!(error instanceof RequestError)) throw error;
  if (error.failure === "refused") return state.exits.leave();
  if (error.failure === "signed-out") return state.exits.giveUp(error);
  if (state.shown) return;
  offerRetry(state, `The next item could not be loaded. ${error.message}`, () => askNext(state));
}

function offerRetry(state: State, words: string, act: () => unknown, label = "Try again"): void {
  state.retry = () => {
    state.retry = null;
    state.panes.furniture.say("");
    void act();
  };
  state.panes.furniture.say(words, { label, act: () => state.retry?.() });
}

async function present(state: State, presentation: Presentation): Promise<void> {
  const turn = clearScreen(state, presentation);
  const current = () => state.turn === turn && !state.over;
  const { room, panes } = state;
  room.shelf.keepOnly([presentation, ...(state.ahead ? [state.ahead] : [])]);
  try {
    const [loaded, ...drafts] = await Promise.all([
      room.shelf.load(presentation, (bytes) => current() && panes.furniture.showLoading(bytes)),
      ...presentation.items.map(({ token }) => room.store.findDraft(room.base, token)),
    ]);
    if (!current()) return;
    state.loaded = loaded;
    state.ratings = drafts.map((draft, i) => firstRating(state.review?.given[i] ?? draft));
    showPresentation(state, presentation);
  } catch (error) {
    if (current()) sayLoadFailure(state, presentation, error);
  }
}

function firstRating(start: Pick<Draft, "answers" | "comment" | "marks"> | null): rating.Rating {
  if (!start) return EMPTY;
  return { answers: start.answers, comment: start.comment, marks: start.marks ?? [] };
}

/** The same empty screen before every presentation. */
function clearScreen(state: State, presentation: Presentation | null): number {
  const { panes, rail } = state;
  const items = presentation?.items ?? [];
  Object.assign(state, {
    shown: presentation, ready: false, lesson: false, references: new Map(), loaded: [],
    ratings: items.length ? items.map(() => EMPTY) : [EMPTY],
    retry: null, missed: "",
    done: items.length ? items.map((item) => item.done && !state.review) : [false],
  });
  state.active = Math.max(0, state.done.indexOf(false));
  panes.clear();
  panes.furniture.say("");
  panes.furniture.showLoading({ got: 0, total: 0 });
  rail.answers.hint("");
  rail.answers.enable(false);
  rail.showLesson(null, []);
  showRating(state);
  rail.answers.foldEmpty();
  rail.toTop();
  if (presentation) rail.showPosition(presentation, state.progress);
  return ++state.turn;
}

function showPresentation(state: State, presentation: Presentation): void {
  const { panes, loaded, active, study } = state;
  panes.furniture.showLoading(null);
  panes.show(study.mode === "side_by_side" ? loaded : [loaded[active]], presentation);
  startItem(state);
  fetchAhead(state);
}

function startItem(state: State): void {
  state.ready = true;
  state.rail.answers.enable(true);
  state.rail.answers.foldEmpty();
  showRating(state);
  state.room.clock.restart(performance.now());
}

function sayLoadFailure(state: State, presentation: Presentation, error: unknown): void {
  if (isAbort(error)) return;
  if (!(error instanceof Error)) throw error;
  if (error instanceof RequestError && error.failure === "signed-out") {
    return state.exits.giveUp(error);
  }
  state.panes.furniture.showLoading(null);
  const words = `The image could not be loaded. ${error.message}`;
  if (error instanceof RequestError && error.failure === "refused") return passOver(state, words);
  offerRetry(state, words, () => present(state, presentation));
}

/** Asking for the same image again cannot help: the server says what comes instead. */
function passOver(state: State, words: string): void {
  if (state.review) return offerRetry(state, words, state.exits.leave, "Go back");
  Object.assign(state, { shown: null, missed: tokenOf(state.shown), owed: true });
  offerRetry(state, words, () => askNext(state), "Go on with the next");
}

/** One presentation ahead, once the current one is painted; its first slice too. */
function fetchAhead(state: State): void {
  const { ahead, panes, room } = state;
  if (!ahead) return;
  const paint = (loaded: readonly Loaded[]) =>
    !state.over && state.ahead === ahead && panes.prepare(loaded, ahead);
  // A failure here is told, and tried again, when the item's turn comes.
  requestAnimationFrame(() =>
    !state.over && room.shelf.load(ahead).then(paint).catch(() => undefined));
}

async function confirm(state: State): Promise<void> {
  if (state.lesson) return leaveLesson(state);
  if (!(await confirmAnswers(state))) return;
  if (state.done.includes(false)) return showNextMask(state);
  if (state.review) return state.exits.finish();
  if (state.shown?.practice) return awaitLesson(state);
  moveOn(state);
}

/** The next mask of the same case, seen from where the rater is. */
function showNextMask(state: State): void {
  state.active = state.done.indexOf(false);
  state.panes.exchange(state.loaded[state.active]);
  startItem(state);
  state.rail.toTop();
  state.panes.focus();
}

/** The next item comes at once when it is known; the server is asked after saving. */
function moveOn(state: State): void {
  const { ahead, progress, shown } = state;
  const { practice } = progress;
  state.confirmed++;
  state.owed = true;
  state.ahead = null;
  state.progress = shown?.practice
    ? { ...progress, practice: { ...practice, done: practice.done + 1 } }
    : { ...progress, done: progress.done + 1 };
  if (!state.signedOut) state.rail.notice("");
  state.panes.focus();
  if (ahead) void present(state, ahead);
  else clearScreen(state, null);
  if (state.room.save === "saved") void askOwed(state);
}

/** A practice item stays on the screen until its reference was seen. */
function awaitLesson(state: State): void {
  state.lesson = true;
  state.rail.answers.enable(false);
  showLesson(state);
}

function showReceipt(state: State, receipt: Receipt, entry: Entry): void {
  if (!state.shown?.practice) return;
  state.references.set(entry.token, receipt.reference);
  if (state.lesson) showLesson(state);
}

/** A practice item that was refused has no reference to wait for: it leaves the screen. */
function showRefusal(state: State, token: string): void {
  state.doubted = true;
  const { shown } = state;
  if (!shown?.practice || !shown.items.some((item) => item.token === token)) return;
  clearScreen(state, null);
  state.owed = true;
}

function isTaught({ shown, references }: State): boolean {
  return shown !== null && shown.items.every(({ token, done }) => done || references.has(token));
}

function showLesson(state: State): void {
  const { shown, references, ratings, rail } = state;
  if (!shown) return;
  rail.showLesson(isTaught(state) ? "shown" : "awaited", shown.items.map(({ token }, i) => ({
    own: Object.fromEntries(Object.keys(ratings[i].answers).map((key) =>
      [key, rating.valueOf(ratings[i], key)])),
    reference: references.get(token) ?? null,
  })));
}

function leaveLesson(state: State): void {
  if (!isTaught(state)) return state.rail.answers.hint("Not saved yet");
  state.lesson = false;
  moveOn(state);
}

async function askOwed(state: State): Promise<void> {
  if (!state.owed || (await state.room.outbox.waiting()) > 0) return;
  state.owed = false;
  await askNext(state);
}

function showSave(state: State, save: SaveState): void {
  showRating(state);
  if (save === "saved") {
    if (state.signedOut) state.rail.notice("");
    state.signedOut = false;
    void askOwed(state);
  }
  if (!state.shown && (save === "offline" || save === "busy")) waitForServer(state);
  if (save !== "signed-out") return;
  state.signedOut = true;
  state.rail.notice(
    "You are signed out. Your answers are kept in this browser and sent after you sign in.",
    { label: "Sign in", href: state.room.signIn },
  );
}

/** Nothing more is loaded ahead, and the server can't be asked for the next item. */
function waitForServer(state: State): void {
  state.panes.furniture.showLoading(null);
  offerRetry(state, "The next item comes once the server can be reached. Your answers are kept.",
    () => state.room.outbox.flush());
}

function report(state: State): void {
  const token = activeItem(state)?.token ?? state.missed;
  if (!token) return;
  openWordsSheet(state.room.base, token, (said) => state.rail.answers.hint(said),
    (answers) => {
      if (answers > state.answers && !state.signedOut) state.rail.notice("");
      state.answers = answers;
    });
}

/** Only from an item without answers: nothing chosen is left behind. */
function undo(state: State): void {
  if (!state.study.revisable || state.review || state.progress.done === 0) return;
  if (state.ratings.some((one) => !rating.isEmpty(one))) {
    return state.rail.answers.hint("Confirm or clear this one first");
  }
  state.exits.undo();
}

function turnTo(state: State, item: number): void {
  activate(state, item);
  state.panes.focus();
}

function obey(state: State, command: Command): void {
  const { rail, panes, exits, ready } = state;
  if (panes.obey(command)) return;
  switch (command.kind) {
    case "digit":
      return chooseDigit(state, command.value);
    case "confirm":
      return void confirm(state);
    case "clear":
      return rate(state, rating.clearAnswers);
    case "cannot":
      return ready ? rail.answers.openReasons() : undefined;
    case "marks":
      return ready ? rail.answers.openMarks() : undefined;
    case "comment":
      return ready ? rail.answers.openComment() : undefined;
    case "pane":
      return turnTo(state, command.to);
    case "problem":
      return report(state);
    case "hide":
      return panes.hold(true);
    case "undo":
      return undo(state);
    case "pause":
      return exits.leave();
    case "help":
      return openKeySheet(makeKeyCard(state.study));
  }
}
