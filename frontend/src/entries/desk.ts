// Wakes the parts of a desk page that need more than the browser's own behaviour.
import { startKeeping } from "../desk/keeping";
import { wakePage } from "../desk/page";
import { watchSilence } from "../desk/silence";
import { watchSignIn } from "../staying";

startKeeping(document.body.dataset["person"]);
wakePage(document);
watchSilence(document.body);
// A refused form can stand far down a long page: go to the first field that is wrong.
document.querySelector<HTMLElement>(".field-wrong :is(input, select, textarea)")?.focus();

const { stay, signIn } = document.body.dataset;
if (stay && signIn && document.querySelector("form[data-keep]")) {
  const kept = "What you type is kept in this tab until you are back.";
  // the notice goes into the page, whose frame is watched
  watchSignIn(document.querySelector<HTMLElement>(".frame")!, stay, signIn, { soon: kept, over: kept, key: "" });
}
