// The rating room as a whole: which page is shown, and what outlives a sitting.
import {
  isAbort,
  readGiven,
  readStudy,
  RequestError,
  sendScore,
  type Rated,
  type StudyInfo,
} from "./api";
import { startClock, type Clock } from "./clock";
import { listenToKeys } from "./keyboard";
import { openShelf, type Shelf } from "./loading";
import { openOutbox, type Outbox, type SaveState } from "./outbox";
import {
  closedPage,
  endPage,
  failurePage,
  laterPage,
  reviewPage,
  signedOutPage,
  startPage,
  waitPage,
  type WayOut,
} from "./pages";
import { reviewList, signForm } from "./reviewing";
import { showRival } from "./rivals";
import { watchRefusals, type Refusals } from "./refusals";
import { isSheetOpen } from "./sheets";
import { watchSignIn } from "./staying";
import { openSitting, type Sitting } from "./sitting";
import { memoryStore, openStore, type Store } from "./store";

export interface Room {
  readonly root: HTMLElement;
  /** Address of the session's API, which also names this room's entries and drafts. */
  readonly base: string;
  readonly signIn: string;
  readonly home: WayOut;
  readonly shelf: Shelf;
  readonly clock: Clock;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly refusals: Refusals;
  study: StudyInfo | null;
  /** What is true of the answers confirmed here; fresh while there are none. */
  save: SaveState | "fresh";
  sitting: Sitting | null;
}

export async function openRoom(root: HTMLElement): Promise<void> {
  const { api = "", signIn = "", home = "", leave = "Leave the rating room" } = root.dataset;
  root.replaceChildren(waitPage());
  const store = await openStore().catch(() => memoryStore());
  const outbox = openOutbox(api, store, sendScore, {
    onState: (state) => showSaveState(room, state),
    onSaved: (receipt, entry) => room.sitting?.showReceipt(receipt, entry),
    onRefused(error, entry) {
      room.sitting?.showRefusal(entry.token);
      void (error.stored ? askAboutRivals(room) : room.refusals.check());
    },
  });
  const room: Room = {
    root,
    base: api,
    signIn,
    home: { href: home, words: leave },
    shelf: openShelf(),
    clock: startClock(performance.now(), document.hasFocus()),
    store,
    outbox,
    refusals: watchRefusals(root, outbox, () => room.study),
    study: null,
    save: "fresh",
    sitting: null,
  };
  listen(room);
  await enter(room);
}

/** Shows the page that fits the study's state; scores left from before go first. */
async function enter(room: Room): Promise<void> {
  leaveSitting(room);
  await room.outbox.flush();
  try {
    const study = await readStudy(room.base);
    room.study = study;
    const given = study.revisable && isFinished(study) && !study.signed
      && study.state === "collecting" ? await readGiven(room.base) : [];
    room.root.replaceChildren(pageFor(room, study, given));
    await room.refusals.check();
    await askAboutRivals(room);
  } catch (error) {
    showObstacle(room, error);
  }
}

/** Answers that another window was ahead of are shown until the rater has decided. */
async function askAboutRivals(room: Room): Promise<void> {
  const [rival] = await room.outbox.rivals();
  if (!rival || !room.study || isSheetOpen()) return;
  showRival(rival, room.study, room.outbox, () => void askAboutRivals(room));
}

function pageFor(room: Room, study: StudyInfo, given: readonly Rated[]): HTMLElement {
  if (study.state !== "collecting" || study.total + study.practice.total === 0) {
    return closedPage(study.title, study.state, room.home);
  }
  if (study.session.before) return laterPage(study, room.home);
  if (!isFinished(study)) {
    return startPage(study, room.home, {
      start: () => begin(room, study),
      review: () => void openReview(room, study),
    });
  }
  return endPage(study, room.home,
    !study.signed && signForm(room.base, study.revisable, () => void enter(room)),
    given.length > 0 && reviewList(study, given, (one) => revise(room, study, one, () => enter(room))));
}

async function openReview(room: Room, study: StudyInfo): Promise<void> {
  leaveSitting(room);
  await room.outbox.flush();
  try {
    const open = (one: Rated) => revise(room, study, one, () => openReview(room, study));
    const list = reviewList(study, await readGiven(room.base), open);
    room.root.replaceChildren(reviewPage(study, list, () => void enter(room)));
  } catch (error) {
    showObstacle(room, error);
  }
}

/** One presentation with the answers given to it, and then back to where one was. */
function revise(room: Room, study: StudyInfo, rated: Rated, back: () => unknown): void {
  leaveSitting(room);
  room.sitting = openSitting(room, study, {
    leave: () => void back(),
    finish: () => void back(),
    undo: () => undefined,
    giveUp: (error) => showObstacle(room, error),
  }, rated);
}

async function undo(room: Room, study: StudyInfo): Promise<void> {
  await room.outbox.flush();
  try {
    const last = (await readGiven(room.base)).at(-1);
    if (last) revise(room, study, last, () => begin(room, study));
  } catch (error) {
    showObstacle(room, error);
  }
}

function isFinished({ done, total, practice }: StudyInfo): boolean {
  return done >= total && practice.done >= practice.total;
}

function begin(room: Room, study: StudyInfo): void {
  leaveSitting(room);
  room.sitting = openSitting(room, study, {
    leave: () => void enter(room),
    finish: () => void enter(room),
    undo: () => void undo(room, study),
    giveUp: (error) => showObstacle(room, error),
  });
}

function leaveSitting(room: Room): void {
  room.sitting?.close();
  room.sitting = null;
  room.shelf.keepOnly([]);
}

function showObstacle(room: Room, error: unknown): void {
  if (isAbort(error)) return;
  if (!(error instanceof Error)) throw error;
  leaveSitting(room);
  const signedOut = error instanceof RequestError && error.failure === "signed-out";
  room.root.replaceChildren(
    signedOut
      ? signedOutPage(room.signIn)
      : failurePage(error.message, () => void enter(room)),
  );
}

function showSaveState(room: Room, state: SaveState): void {
  if (state === "saved" && room.save === "fresh") return;
  room.save = state;
  room.sitting?.showSave(state);
}

function listen(room: Room): void {
  const signIn = watchSignIn(room.root, room.base, room.signIn);
  listenToKeys({
    obey: (command) => (command.kind === "stay" ? signIn.prolong() : room.sitting?.obey(command)),
    release: () => room.sitting?.showMaskAgain(),
    toImage: () => room.sitting?.toImage(),
    escape: () => room.sitting?.escape(),
  });
  listenForWork(room.clock);
  const send = () => room.save !== "fresh" && void room.outbox.flush();
  addEventListener("focus", send);
  addEventListener("focus", signIn.check);
  addEventListener("online", send);
  addEventListener("online", () => room.sitting?.retry());
  addEventListener("pagehide", () => room.shelf.keepOnly([]));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("beforeunload", (event) => {
    const unsent = room.save === "offline" || room.save === "busy" || room.save === "saving";
    if (unsent) event.preventDefault();
  });
}

function listenForWork(clock: Clock): void {
  const now = () => performance.now();
  for (const sign of ["pointermove", "pointerdown", "keydown", "wheel"]) {
    addEventListener(sign, () => clock.touch(now()), { passive: true });
  }
  const notice = () =>
    clock.setPresent(document.visibilityState === "visible" && document.hasFocus(), now());
  addEventListener("focus", notice);
  addEventListener("blur", notice);
  document.addEventListener("visibilitychange", notice);
}
