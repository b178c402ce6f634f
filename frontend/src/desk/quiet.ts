// Sends a small form without leaving the page, on which files may be on their way.
import { findPlace, takeUp, type Place } from "./following";

export function wakeQuiet(form: HTMLFormElement, exchange: (html: string) => void): void {
  form.addEventListener("submit", (event) => {
    // the question before it was answered with no
    if (event.defaultPrevented) return;
    event.preventDefault();
    const body = new FormData(form);
    const button = event.submitter as HTMLButtonElement;
    if (button.name) body.set(button.name, button.value);
    void send(form.action, body, findPlace(button), exchange);
  });
}

/** What was removed is gone from the page, and the keyboard stays in its list. */
export async function send(
  url: string,
  body: FormData,
  place: Place,
  exchange: (html: string) => void,
): Promise<void> {
  const answer = await fetch(url, { method: "POST", body }).catch(() => null);
  if (!answer?.ok) return location.reload();
  exchange(await answer.text());
  takeUp(place);
}
