// Keys for those who like them; everything they do can be done with Tab and Enter too.
const rows = () => [...document.querySelectorAll(".row")];

function step(by) {
  const all = rows();
  const here = all.indexOf(document.activeElement), open = all.findIndex((row) => row.hasAttribute("aria-current"));
  const at = here >= 0 ? here : open >= 0 ? open : by > 0 ? -1 : all.length;
  all[Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": () => document.getElementById("search-text")?.focus(),
  r: () => document.getElementById("text")?.focus(),
  w: () => [...document.querySelectorAll(".why")].at(-1)?.click(),
};

function back() {
  const menu = document.querySelector("details.menu[open]");
  if (menu) menu.open = false;
  else if (location.hash) location.hash = "talk";
  else document.querySelector(".why-side .round")?.click();
}

export function hearKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const writes = event.target.closest?.("input, textarea, select");
    if (event.key === "Escape") {
      if (writes) writes.blur();
      else back();
    } else if (!writes && KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
}
