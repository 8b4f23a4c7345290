// The last webhooks, newest first: what they told, how the product answered, which attempt it was.
import * as api from "./api.js";
import { hour } from "./clock.js";
import { el } from "./dom.js";

const SHOWN = 60;

export class WebhooksPanel {
  constructor({ root }) {
    this.root = root;
    this.list = root.querySelector("ol");
    this.seen = new Set();
    this.show();
  }

  async fetch() {
    const found = await api.get("webhooks").catch(() => null);
    for (const record of found?.attempts.slice(-SHOWN) ?? []) this.add(record);
  }

  add(record) {
    if (this.seen.has(record.id)) return;
    this.seen.add(record.id);
    this.list.prepend(line(record));
    while (this.list.children.length > SHOWN) this.list.lastElementChild.remove();
    this.show();
  }

  clear() {
    this.list.replaceChildren();
    this.seen.clear();
    this.show();
  }

  show() {
    this.root.querySelector(".none").hidden = this.list.children.length > 0;
    this.list.hidden = !this.list.children.length;
  }
}

function line({ at, event, subject, url, attempt, status, error, ms }) {
  const good = status >= 200 && status < 300;
  return el("li", { class: good ? "good" : "bad" },
    el("span", { class: "code" }, status ? String(status) : "—"),
    el("span", { class: "event" }, event),
    el("span", { class: "attempt" }, attempt > 1 ? `attempt ${attempt}` : ""),
    el("time", { datetime: at }, hour(new Date(at), { seconds: true })),
    el("span", { class: "target", title: `${url} ${subject ?? ""}` }, error ?? `${pathOf(url)}${ms === undefined || ms === null ? "" : ` · ${Math.round(ms)} ms`}`));
}

function pathOf(url) {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
