// The answers to one item while a rater chooses them: pure state and its rules.
import type { Anchor, Answer, Question } from "./api";

export interface Rating {
  readonly answers: Readonly<Record<string, Answer>>;
  readonly comment: string;
  readonly marks: readonly string[];
  /** Why a given score is changed; only while one is. */
  readonly why?: string;
}

export const EMPTY: Rating = { answers: {}, comment: "", marks: [] };

/** The question the next digit answers: the given one, else the first open one. */
export function openQuestion(
  rating: Rating,
  questions: readonly Question[],
  focused: string | null,
): Question {
  return questions.find((question) => question.key === focused)
    ?? questions.find((question) => !hasValue(rating, question.key))
    ?? questions[questions.length - 1];
}

export function isInScale(value: number, scale: readonly Anchor[]): boolean {
  return scale.some((anchor) => anchor.value === value);
}

/** A value takes the place of a reason, on every question. */
export function chooseValue(rating: Rating, question: string, value: number): Rating {
  const values = Object.entries(rating.answers).filter(([, answer]) => "value" in answer);
  return { ...rating, answers: { ...Object.fromEntries(values), [question]: { value } } };
}

/** "Cannot rate" holds for the whole item. */
export function chooseReason(
  rating: Rating,
  questions: readonly Question[],
  reason: string,
): Rating {
  const answers = Object.fromEntries(questions.map(({ key }) => [key, { reason }]));
  return { ...rating, answers };
}

export function toggleMark(rating: Rating, mark: string): Rating {
  const without = rating.marks.filter((one) => one !== mark);
  const marks = without.length < rating.marks.length ? without : [...without, mark];
  return { ...rating, marks };
}

export function clearAnswers(rating: Rating): Rating {
  return { ...rating, answers: {} };
}

export function isComplete(rating: Rating, questions: readonly Question[]): boolean {
  return questions.every(({ key }) => key in rating.answers);
}

/** Whether two ratings say the same, be the order of what they say another. */
export function isSame(one: Rating, other: Rating): boolean {
  const plain = ({ answers, comment, marks }: Rating) =>
    JSON.stringify([Object.entries(answers).sort(), comment.trim(), [...marks].sort()]);
  return plain(one) === plain(other);
}

export function isEmpty(rating: Rating): boolean {
  const { answers, comment, marks } = rating;
  return Object.keys(answers).length === 0 && comment === "" && marks.length === 0;
}

export function valueOf(rating: Rating, question: string): number | null {
  const answer = rating.answers[question];
  return answer && "value" in answer ? answer.value : null;
}

export function reasonOf(rating: Rating): string | null {
  const answer = Object.values(rating.answers).find((one) => "reason" in one);
  return answer && "reason" in answer ? answer.reason : null;
}

function hasValue(rating: Rating, question: string): boolean {
  return valueOf(rating, question) !== null;
}

/** "1–5", or the values themselves where they have gaps. */
/** The score in words of the scale: "4 good", "cannot rate", or nothing yet. */
export function sayAnswer(
  rating: Rating,
  question: string,
  scale: readonly Anchor[],
): string {
  if (reasonOf(rating) !== null) return "cannot rate";
  return sayValue(valueOf(rating, question), scale);
}

export function sayValue(value: number | null, scale: readonly Anchor[]): string {
  const anchor = scale.find((one) => one.value === value);
  return anchor ? `${anchor.value} ${anchor.anchor}` : "";
}

export function scaleRange(scale: readonly Anchor[]): string {
  const values = scale.map((anchor) => anchor.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const whole = high - low + 1 === values.length;
  return whole ? `${low}–${high}` : values.join(", ");
}

/** "about 21 min left"; nothing while the server cannot tell yet. */
export function timeLeft(seconds: number | null): string {
  if (seconds === null) return "";
  if (seconds < 60) return "less than 1 min left";
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} min left`;
  return `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
