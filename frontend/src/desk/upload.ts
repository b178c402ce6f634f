// The form of uploading: what is chosen or dropped, and whose masks it holds.
import { fromDrop, fromInput, type Chosen } from "./gathering";
import { Queue } from "./queue";

export function wakeUpload(form: HTMLFormElement, refresh: () => Promise<void>): void {
  const input = form.querySelector<HTMLInputElement>("input#files")!;
  const folder = form.querySelector<HTMLInputElement>("input#folder")!;
  const zone = form.querySelector<HTMLElement>("[data-drop]")!;
  const queue = new Queue(form, refresh);
  const take = (chosen: Chosen[]): void => {
    if (chosen.length && roleIsComplete(form)) void queue.add(chosen);
  };
  for (const one of [input, folder]) {
    one.addEventListener("change", () => {
      take(fromInput(one.files!));
      one.value = "";
    });
  }
  // the button at the top of the page comes and goes with the state of the list
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-choose]")) input.click();
    if ((event.target as Element).closest("[data-choose-folder]")) folder.click();
  });
  wakeDropping(zone, take);
  wakeRole(form);
}

function wakeDropping(zone: HTMLElement, take: (chosen: Chosen[]) => void): void {
  const show = (over: boolean) => (event: DragEvent): void => {
    event.preventDefault();
    zone.classList.toggle("drop-over", over);
  };
  zone.addEventListener("dragover", show(true));
  zone.addEventListener("dragleave", show(false));
  zone.addEventListener("drop", (event) => {
    show(false)(event);
    if (event.dataTransfer) void fromDrop(event.dataTransfer).then(take);
  });
}

/** Typing a name says that the masks are predictions; both must be there. */
function wakeRole(form: HTMLFormElement): void {
  const name = form.elements.namedItem("arm") as HTMLInputElement;
  name.addEventListener("input", () => {
    if (name.value) role(form).value = "upload";
    roleIsComplete(form, true);
  });
  form.addEventListener("change", () => roleIsComplete(form, true));
}

function role(form: HTMLFormElement): RadioNodeList {
  return form.elements.namedItem("role") as RadioNodeList;
}

function roleIsComplete(form: HTMLFormElement, quietly = false): boolean {
  const name = form.elements.namedItem("arm") as HTMLInputElement;
  const error = form.querySelector<HTMLElement>("#arm-error")!;
  const complete = role(form).value !== "upload" || name.value.trim() !== "";
  if (complete) error.hidden = true;
  else if (!quietly) {
    error.hidden = false;
    name.focus();
  }
  return complete;
}
