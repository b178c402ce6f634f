// What a sitting holds at any moment: the presentation shown and the answers so far.
import type { Given, Item, Presentation, Progress, Rated, Reference, StudyInfo } from "./api";
import { nameItems } from "./exhibit";
import type { Loaded } from "./loading";
import type { Panes } from "./panes";
import type { Rail } from "./rail";
import { EMPTY, isComplete, isEmpty, isSame, type Rating } from "./rating";
import type { Room } from "./room";
import { countAnswers } from "./words";

/** The ways out of a sitting. */
export interface Exits {
  leave(): void;
  finish(): void;
  /** Back to the item confirmed last, where the protocol lets it be changed. */
  undo(): void;
  giveUp(error: unknown): void;
}

export interface State {
  readonly room: Room;
  readonly study: StudyInfo;
  readonly exits: Exits;
  /** The presentation whose given answers are being changed; null on first ratings. */
  readonly review: Rated | null;
  readonly panes: Panes;
  readonly rail: Rail;
  progress: Progress;
  /** The presentation on the screen, and the one to come if the server has told it. */
  shown: Presentation | null;
  ahead: Presentation | null;
  loaded: readonly Loaded[];
  /** By item: what was chosen, and whether it is confirmed. */
  ratings: Rating[];
  done: boolean[];
  /** The item that digits go to. */
  active: number;
  /** The image is painted and an answer can be given. */
  ready: boolean;
  /** References of practice items, by token, as they arrive with the receipts. */
  references: Map<string, Reference | null>;
  /** A practice item is confirmed and stays until its reference was seen. */
  lesson: boolean;
  /** Counts presentations, so that late answers of earlier ones are let go. */
  turn: number;
  /** Counts confirmed presentations, to know whether "next" was asked before or after. */
  confirmed: number;
  /** A confirmed item is on its way; "next" is to be asked once it is saved. */
  owed: boolean;
  /** The server refused a score: is the study still open? */
  doubted: boolean;
  /** Token of the item whose image was refused: it can still be reported. */
  missed: string;
  signedOut: boolean;
  /** How many of the coordinators' answers were there to be read. */
  answers: number;
  /** What failed to load, to be tried again by hand or once the network is back. */
  retry: (() => void) | null;
  over: boolean;
}

export function firstState(
  parts: Pick<State, "room" | "study" | "exits" | "panes" | "rail" | "review">,
): State {
  return {
    ...parts, progress: parts.study, shown: null, ahead: null, loaded: [], ratings: [EMPTY],
    done: [false], active: 0, ready: false, references: new Map(), lesson: false, turn: 0, confirmed: 0, owed: false,
    doubted: false, missed: "", signedOut: false, retry: null, over: false,
    answers: countAnswers(parts.study.words),
  };
}

/** The items that the next confirmation is about. */
export function dueItems(state: State): number[] {
  const open = state.done.flatMap((done, i) => (done ? [] : [i]));
  return state.study.mode === "side_by_side" ? open : open.slice(0, 1);
}

export function isReady(state: State): boolean {
  return state.ready
    && dueItems(state).every((i) => isComplete(state.ratings[i], state.study.questions))
    && !lacksReason(state);
}

/** What was given before, where a given answer is being changed. */
export function givenTo(state: State, item: number): Given | null {
  return state.review?.given[item] ?? null;
}

export function isChanged(state: State, item: number): boolean {
  const given = givenTo(state, item);
  return !given || !isSame(given, state.ratings[item]);
}

/** The protocol asks why a score is changed, and the rater has not said. */
export function lacksReason(state: State): boolean {
  return state.review !== null && state.study.change_reason
    && dueItems(state).some((i) => isChanged(state, i) && !state.ratings[i].why?.trim());
}

export function hasAnswers(state: State): boolean {
  return state.ratings.some((rating, i) => !state.done[i] && !isEmpty(rating));
}

export function activeItem(state: State): Item | null {
  return state.shown?.items[state.active] ?? null;
}

export function tokenOf(presentation: Presentation | null): string {
  return presentation?.items[0].token ?? "";
}

/** What the rater calls an item: "Item 3, left" or "Practice item 1". */
export function placeOf(state: State, item: number): string {
  const { position = 0, practice = false } = state.shown ?? {};
  const name = namesOf(state)[item];
  return `${practice ? "Practice item" : "Item"} ${position}${name ? `, ${name.toLowerCase()}` : ""}`;
}

/** The names of the panes, or "Mask 1 of 2"; none where there is one item. */
export function namesOf(state: State): string[] {
  const count = state.ratings.length;
  if (count < 2) return [];
  if (state.study.mode === "side_by_side") return nameItems(count);
  return Array.from({ length: count }, (_, i) => `Mask ${i + 1} of ${count}`);
}
