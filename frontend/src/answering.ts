// Choosing and confirming answers: what a digit, a click and Enter do to the ratings.
import { scoresUrl } from "./api";
import * as rating from "./rating";
import type { Rating } from "./rating";
import {
  activeItem,
  dueItems,
  givenTo,
  hasAnswers,
  isChanged,
  isReady,
  lacksReason,
  namesOf,
  placeOf,
  type State,
} from "./state";
import { makeSubmission } from "./submission";

/** Changes the rating of the active item and keeps it as a draft. */
export function rate(state: State, change: (now: Rating) => Rating): void {
  const { room, active } = state;
  const item = activeItem(state);
  if (!state.ready || !item || state.done[active]) return;
  const now = change(state.ratings[active]);
  state.ratings[active] = now;
  state.rail.answers.hint("");
  const { token } = item;
  if (state.review) return showRating(state);
  void (rating.isEmpty(now)
    ? room.store.dropDraft(token)
    : room.store.keepDraft({ room: room.base, token, ...now }));
  showRating(state);
}

export function showRating(state: State): void {
  const { rail, room, study, panes, active } = state;
  const names = namesOf(state);
  const first = study.questions[0].key;
  const said = state.ratings.map((one) => rating.sayAnswer(one, first, study.scale));
  panes.label(active, names.map((name, i) => (said[i] ? `${name}: ${said[i]}` : name)));
  rail.showItems(names, said, active, study.mode === "side_by_side");
  rail.answers.show(state.ratings[active]);
  if (!state.lesson) rail.showReady(isReady(state));
  const settled = room.save === "saved" || room.save === "fresh";
  rail.showSave(settled && hasAnswers(state) ? "chosen" : room.save);
}

export function activate(state: State, item: number): void {
  if (item === state.active || item < 0 || item >= state.ratings.length) return;
  if (state.study.mode !== "side_by_side") return;
  state.active = item;
  state.rail.answers.hint("");
  showRating(state);
  revealNext(state, state.study.questions[0].key);
}

export function chooseDigit(state: State, value: number): void {
  if (!state.ready) return;
  const { scale, questions } = state.study;
  const { answers } = state.rail;
  if (!rating.isInScale(value, scale)) {
    return answers.hint(`${rating.scaleRange(scale)} only`, true);
  }
  const { key } = rating.openQuestion(state.ratings[state.active], questions, answers.focused());
  choose(state, key, value);
}

/** What comes next is brought into sight, so that no question is answered unseen. */
export function choose(state: State, question: string, value: number): void {
  rate(state, (now) => rating.chooseValue(now, question, value));
  revealNext(state, question);
}

/** The next question without an answer, else the given one. */
export function revealNext(state: State, question: string): void {
  const { answers } = state.ratings[state.active];
  const next = state.study.questions.find(({ key }) => !(key in answers));
  state.rail.answers.reveal(next?.key ?? question);
}

/** True once the answers are safe on this computer and on their way. */
export async function confirmAnswers(state: State): Promise<boolean> {
  const { room, rail, shown } = state;
  if (!state.ready || !shown) return false;
  const due = dueItems(state);
  if (!isReady(state)) return askForMissing(state, due);
  const active = Math.round(room.clock.read(performance.now()) / due.length);
  const letters = due.filter((i) => isChanged(state, i)).map((i) => ({
    token: shown.items[i].token,
    url: scoresUrl(shown.items[i]),
    place: placeOf(state, i),
    body: makeSubmission(state.ratings[i], givenTo(state, i)?.revision ?? 0, active, state.panes),
  }));
  state.ready = false;
  try {
    if (letters.length) await room.outbox.post(letters);
  } catch (error) {
    state.ready = true;
    rail.notice(
      `This browser could not keep the score (${String(error)}). Free some space, then confirm again.`,
    );
    return false;
  }
  for (const i of due) state.done[i] = true;
  return true;
}

function sayOpen({ study, ratings, active }: State): string {
  const open = study.questions.filter(({ key }) => !(key in ratings[active].answers)).length;
  return open === 1 ? "One question has no score yet" : `${open} questions have no score yet`;
}

/** Enter on a finished pane leads to the other one; else says what is missing. */
function askForMissing(state: State, due: readonly number[]): false {
  const { questions } = state.study;
  const isDone = (item: number) => rating.isComplete(state.ratings[item], questions);
  const other = due.find((item) => !isDone(item));
  if (other !== undefined && isDone(state.active)) {
    activate(state, other);
    state.panes.focus();
    state.rail.answers.hint(`Now the ${namesOf(state)[other].toLowerCase()} one`);
  } else if (lacksReason(state)) {
    state.rail.answers.askWhy();
    state.rail.answers.hint("Say why you change it");
  } else if (questions.length > 1 && Object.keys(state.ratings[state.active].answers).length) {
    state.rail.answers.hint(sayOpen(state));
    revealNext(state, questions[0].key);
  } else {
    state.rail.answers.hint("Choose a score first");
  }
  return false;
}
