// Sends a small form without leaving the page, on which files may be on their way.

export function wakeQuiet(form: HTMLFormElement, exchange: (html: string) => void): void {
  form.addEventListener("submit", (event) => {
    // the question before it was answered with no
    if (event.defaultPrevented) return;
    event.preventDefault();
    const body = new FormData(form);
    const { name, value } = event.submitter as HTMLButtonElement;
    if (name) body.set(name, value);
    void send(form, body, exchange);
  });
}

async function send(
  form: HTMLFormElement,
  body: FormData,
  exchange: (html: string) => void,
): Promise<void> {
  const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
  if (answer?.ok) exchange(await answer.text());
  else location.reload();
}
