// Keeps the page up to date and answers keys. Without scripts everything is still there.
import { hearForms } from "./forms.js";
import { hearKeys } from "./keys.js";
import { follow } from "./live.js";
import { refresh } from "./refresh.js";
import { tell } from "./times.js";

const AGAIN = 3000; // milliseconds between tries of a page that could not be shown

tell();
hearForms();
hearKeys();

if (document.querySelector("[data-version]")) follow();
if ("again" in document.body.dataset) setInterval(refresh, AGAIN);

// What is fetched shows that it is.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (link && plain && link.origin === location.origin && !link.getAttribute("href").startsWith("#")) {
    document.documentElement.classList.add("loading");
  }
});
addEventListener("pageshow", () => document.documentElement.classList.remove("loading"));
addEventListener("click", (event) => {
  const menu = document.getElementById("me");
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
