// The page put together: what happens in the simulator goes to the phones and to the panel.
import * as api from "./api.js";
import { Clock } from "./clock.js";
import { Desk } from "./desk.js";
import { complain, el } from "./dom.js";
import { Feed } from "./feed.js";
import { Panel } from "./panel.js";

const STATES = { live: "Live", lost: "Reconnecting" };

const settings = JSON.parse(document.body.dataset.settings);
const live = document.querySelector(".live");
const clock = new Clock();
clock.keep(() => api.get("clock"));
const desk = new Desk({ settings, clock, announce });
const panel = new Panel({ clock });

const feed = new Feed({
  state,
  on: {
    inbound: (record) => desk.take(record),
    outbound: (record) => { desk.take(record); panel.spent(); },
    status: ({ sid, status, error_code }) => desk.update(sid, { status, error_code }),
    typing: (record) => desk.typing(record),
    clock: (record) => panel.timed(record),
    fault: () => panel.spent(),
    reset: () => { desk.clear(); panel.clear(); },
    // Two ticks under one's own text: the product's webhook took it.
    webhook: (record) => {
      panel.webhook(record);
      desk.update(record.subject, (message) => heard(message, record));
    },
  },
});

function heard({ mine, view }, { status, error }) {
  if (!mine || ["heard", "read"].includes(view.status)) return {};
  if (status >= 200 && status < 300) return { status: "heard", trouble: "" };
  return { trouble: `Not taken: ${error ?? `HTTP ${status}`}` };
}

function state(name) {
  const regained = name === "live" && live.dataset.state === "lost";
  live.dataset.state = name;
  live.querySelector(".label").textContent = STATES[name];
  complain(document.querySelector(".lost"), name === "lost" ? "The simulator does not answer. What is written now is not sent; the page reconnects by itself." : "");
  // It may be another one than before.
  if (regained) { desk.fetch().catch(() => {}); panel.fetch(); }
}

// For a screen reader: a line each, so that the same words are spoken again.
function announce(words) {
  const box = document.querySelector(".announcer");
  box.append(el("p", {}, words));
  while (box.children.length > 3) box.firstElementChild.remove();
}

for (;;) {
  try {
    feed.follow(await desk.fetch());
    break;
  } catch {
    state("lost");
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}
