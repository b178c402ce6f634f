// Opens the last questions, about the masks' sources, in the page's #room element.
import { openSources } from "../sources";

void openSources(document.getElementById("room")!);
