// One file's row while it is sent, and what became of it in words.
import { make } from "../dom";
import type { Chosen } from "./gathering";
import type { Answer, Parcel } from "./transfer";

export interface Sending {
  readonly parcel: Parcel;
  readonly row: HTMLTableRowElement;
  readonly bar: HTMLProgressElement;
  readonly note: HTMLElement;
  readonly stop: HTMLButtonElement;
  sent: number;
  outcome: Outcome | "waiting" | "opened";
  /** What became of each file of a zip that was opened. */
  readonly inside: Outcome[];
}

export type Outcome = "taken" | "refused" | "failed" | "cancelled";

export function makeSending(parcel: Parcel, cancel: (sending: Sending) => void): Sending {
  const { name } = parcel.file;
  const bar = make("progress", { max: 1, value: 0, "aria-label": `Sent of ${name}` });
  const note = make("span", { class: "soft small" });
  const stop = make("button", {
    type: "button", class: "button-plain small", "aria-label": `Cancel ${name}`,
    onclick: () => cancel(sending),
  }, "Cancel");
  const row = make("tr", {},
    make("td", { class: "picture" }),
    make("th", { scope: "row", class: "name" }, name),
    make("td", { colspan: 5 },
      make("div", { class: "sending-row" }, bar, note, stop)),
  );
  const sending: Sending =
    { parcel, row, bar, note, stop, sent: 0, outcome: "waiting", inside: [] };
  return sending;
}

export function conclude(sending: Sending, answer: Answer): void {
  sending.sent = 1;
  sending.outcome = judge(answer);
  if (answer.cancelled) return sending.row.remove();
  if (answer.row === undefined) {
    sending.row.lastElementChild!.replaceChildren(
      make("span", { class: "chip", "data-state": "bad" }, "Not sent"),
      ` ${answer.detail ?? ""}`,
    );
    return;
  }
  const holder = document.createElement("template");
  holder.innerHTML = answer.row.trim();
  sending.row.replaceWith(holder.content);
}

export function judge({ row, verdict, cancelled }: Answer): Outcome {
  if (cancelled) return "cancelled";
  if (row === undefined) return "failed";
  return verdict === "reject" ? "refused" : "taken";
}

/** A zip counts as the files in it; faults are those of a table or a folder. */
export function sumUp(all: readonly Sending[], faults = 0): string {
  const outcomes = all.flatMap(({ outcome, inside }) => outcome === "opened" ? inside : [outcome]);
  if (!outcomes.length) return "Nothing was received (see below).";
  const count = (outcome: Outcome): number =>
    outcomes.filter((one) => one === outcome).length;
  const parts = [`${files(count("taken"))} received`];
  if (count("refused")) parts.push(`${files(count("refused"))} refused (see below)`);
  if (count("failed")) parts.push(`${files(count("failed"))} not taken in`);
  if (faults) parts.push(`${faults} fault${faults === 1 ? "" : "s"} in the set (see below)`);
  if (count("cancelled")) parts.push(`${files(count("cancelled"))} cancelled`);
  return `${parts.join(", ")}.`;
}

/** What was chosen in a word: the folder or the file, or how many. */
export function nameAll(chosen: readonly Chosen[]): string {
  const names = [...new Set(chosen.map(({ path }) => path.split("/")[0]!))];
  return names.length === 1 ? names[0]! : files(chosen.length);
}

function files(count: number): string {
  return `${count} file${count === 1 ? "" : "s"}`;
}
