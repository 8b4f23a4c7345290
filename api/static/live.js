// Hears that something has changed, and has the page show it. A hidden page hears nothing: browsers allow six streams.
import { refresh } from "./refresh.js";

const WORDS = { live: "Live", lost: "Reconnecting", away: "Temporal is away" };
const AGAIN = 5000; // milliseconds until a stream that was refused is tried again

let source = null;

function say(state) {
  const mark = document.getElementById("live");
  if (!mark) return;
  mark.hidden = false;
  mark.dataset.state = state === "live" ? "live" : "lost";
  const label = mark.querySelector(".label");
  if (label.textContent !== WORDS[state]) label.textContent = WORDS[state];
}

function address() {
  const query = new URLSearchParams(location.search);
  if (document.body.dataset.talk) query.set("talk", document.body.dataset.talk);
  query.set("seen", [...document.querySelectorAll("[data-version]")].map((part) => part.dataset.version).join(" "));
  return `/console/live?${query}`;
}

function open() {
  source = new EventSource(address());
  source.addEventListener("open", () => say("live"));
  source.addEventListener("change", async () => say((await refresh()) ? "live" : "lost"));
  source.addEventListener("away", () => say("away"));
  source.addEventListener("error", () => {
    say("lost");
    if (source?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(() => { if (!source && !document.hidden) open(); }, AGAIN);
    }
  });
}

function close() {
  source?.close();
  source = null;
}

export function follow() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!source) open();
  });
  if (!document.hidden) open();
}
