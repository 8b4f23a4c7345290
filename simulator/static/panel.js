// Behind the scenes: clock, faults, webhooks, reset.
import * as api from "./api.js";
import { ClockPanel } from "./panel-clock.js";
import { ask } from "./dialog.js";
import { complain } from "./dom.js";
import { FaultsPanel } from "./panel-faults.js";
import { WebhooksPanel } from "./panel-webhooks.js";

const STORE = "simulator.panel";
const COVERED = ".skip, .bar, .lost, .strangers, .switcher, .desk"; // by the panel, on a small screen
const OFTEN = 3000; // milliseconds; others arm faults and move the clock too, by the control API

export class Panel {
  constructor({ clock }) {
    this.root = document.getElementById("panel");
    this.button = document.querySelector(".open-panel");
    this.small = matchMedia("(max-width: 719px)");
    this.small.addEventListener("change", () => this.cover());
    const complaining = (promise) => promise.then(() => this.complain(""), (problem) => this.complain(problem.message));
    this.clock = new ClockPanel({ root: this.root.querySelector(".clock"), button: this.button, clock, complaining });
    this.faults = new FaultsPanel({ root: this.root.querySelector(".faults"), button: this.button, complaining });
    this.webhooks = new WebhooksPanel({ root: this.root.querySelector(".webhooks") });
    this.button.addEventListener("click", () => this.toggle(this.root.hidden));
    this.root.querySelector(".close-panel").addEventListener("click", () => this.toggle(false));
    this.root.querySelector(".reset").addEventListener("click", () => complaining(this.reset()));
    // Escape closes it from wherever the focus is, unless something nearer has used it.
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !this.root.hidden && !document.querySelector("dialog[open]")) this.toggle(false);
    });
    if (this.wasOpen() && innerWidth >= 1100) this.toggle(true, { focus: false });
    this.fetch();
    setInterval(() => { if (!this.root.hidden && !document.hidden) this.keepUp(); }, OFTEN);
  }

  keepUp() {
    this.faults.fetch();
    this.clock.fetch();
  }

  toggle(open, { focus = true } = {}) {
    this.root.hidden = !open;
    document.body.classList.toggle("with-panel", open);
    this.button.setAttribute("aria-expanded", open);
    this.cover();
    try { localStorage.setItem(STORE, open ? "open" : ""); } catch { /* private windows may refuse */ }
    if (open) this.fetch();
    if (focus) (open ? this.root : this.button).focus();
  }

  // What lies under it is out of reach for the keyboard too.
  cover() {
    const covered = this.small.matches && !this.root.hidden;
    for (const node of document.querySelectorAll(COVERED)) node.inert = covered;
  }

  wasOpen() {
    try { return localStorage.getItem(STORE) === "open"; } catch { return false; }
  }

  complain(text) {
    complain(this.root.querySelector(":scope > .trouble"), text);
  }

  async reset() {
    if (await ask("reset")) await api.post("reset", {});
  }

  fetch() {
    this.keepUp();
    this.webhooks.fetch();
  }

  clear() {
    this.webhooks.clear();
    this.keepUp();
  }

  webhook(record) {
    this.webhooks.add(record);
    this.spent();
  }

  // An armed fault may have been used up.
  spent() {
    if (this.faults.count) this.faults.soon();
  }

  timed(record) {
    if (record.now) this.clock.clock.set(record);
    else this.clock.fetch();
  }
}
