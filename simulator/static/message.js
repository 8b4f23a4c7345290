// One message in a thread: its bubble, its time and ticks, what can be done with it.
import { CHANNELS } from "./channel.js";
import { attachments } from "./media.js";
import { hour } from "./clock.js";
import { el, icon } from "./dom.js";
import { statusOf } from "./status.js";
import { isEmoji, link } from "./text.js";

const SHORT = 120; // characters of a message that are quoted

export class Message {
  // `acts` are what its buttons call: reply(message), press(message, button), details(message), find(sid).
  constructor(view, acts) {
    this.view = { ...view, ...view.extras, status: standing(view) };
    this.acts = acts;
    this.sid = view.sid;
    this.mine = view.direction === "inbound"; // seen from the product; the phone has sent it
    this.created = new Date(view.created);
    this.ticks = el("span", { class: "ticks" });
    this.why = el("p", { class: "why", hidden: true });
    this.node = el("li", { class: `said ${this.mine ? "mine" : "theirs"}`, "data-sid": view.sid, tabindex: "-1" });
    this.node.append(el("div", { class: "card" }, this.bubble(), this.meta()), this.why, ...this.choices(), this.actions());
    this.show();
  }

  get summary() {
    const { body, media, location, content_sid: template } = this.view;
    const text = body || (location ? `Location ${location.label ?? ""}` : media.length ? "Attachment" : template ? "Template" : "");
    return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
  }

  update(change) {
    Object.assign(this.view, change);
    this.show();
  }

  // The same message, fetched anew.
  renew(view) {
    this.update({ status: standing(view), error_code: view.error_code });
  }

  show() {
    const { picture, words, state } = statusOf(this.view.status);
    this.node.dataset.status = this.view.status;
    this.node.dataset.state = state;
    this.ticks.dataset.state = state;
    this.ticks.title = words;
    this.ticks.replaceChildren(icon(picture, words));
    this.why.replaceChildren(...this.trouble(words));
    this.why.hidden = !this.why.hasChildNodes();
  }

  trouble(words) {
    const { trouble, error_code: code } = this.view;
    if (trouble) return [trouble];
    if (!code) return [];
    return [`${words} (`, link(`https://www.twilio.com/docs/api/errors/${code}`, String(code)), ")"];
  }

  bubble() {
    const { body, content_sid: template, location, reply_to: replied } = this.view;
    const text = body || (template ? `Template ${template}` : "");
    return el("div", { class: `bubble${isEmoji(text) ? " emoji" : ""}` },
      replied && this.quote(replied),
      ...attachments(this.view),
      location && place(location),
      text && el("p", { class: "text", dir: "auto" }, ...CHANNELS[this.view.channel].write(text)));
  }

  quote(sid) {
    const original = this.acts.find(sid);
    const words = original ? original.summary : "An earlier message";
    return el("button", {
      type: "button", class: `quote ${original?.mine ? "own" : ""}`, dir: "auto", "aria-label": `In reply to: ${words}`,
      on: { click: () => this.acts.find(sid)?.reveal() },
    }, words);
  }

  meta() {
    return el("div", { class: "meta" },
      el("time", { datetime: this.view.created, title: this.created.toLocaleString() }, hour(this.created)), this.ticks);
  }

  choices() {
    const buttons = this.view.buttons ?? [];
    if (!buttons.length) return [];
    return [el("div", { class: "quick", role: "group", "aria-label": "Quick replies" }, ...buttons.map((button) =>
      el("button", { type: "button", dir: "auto", on: { click: () => this.acts.press(this, button) } }, button.text)))];
  }

  // Shows which quick reply was taken; it can be pressed again, as people do.
  press({ text }) {
    for (const button of this.node.querySelectorAll(".quick button")) {
      if (button.textContent === text) button.setAttribute("aria-pressed", "true");
    }
  }

  actions() {
    const act = (name, label, listener) =>
      el("button", { type: "button", class: "round", title: label, "aria-label": label, tabindex: "-1", on: { click: listener } }, icon(name));
    return el("div", { class: "actions" },
      this.acts.reply && act("reply", "Reply", () => this.acts.reply(this)),
      act("info", "Details", () => this.acts.details(this)));
  }

  // The thread lets one message at a time be reached by Tab, and its buttons with it.
  hold(on) {
    for (const button of this.node.querySelectorAll(".actions button")) button.tabIndex = on ? 0 : -1;
  }

  reveal() {
    this.node.scrollIntoView({ block: "center" });
    this.node.focus({ preventScroll: true });
  }
}

// Of a person's text: whether the product heard and read it.
function standing({ status, heard, read }) {
  return read ? "read" : heard ? "heard" : status;
}

function place({ latitude, longitude, label, address }) {
  const map = `https://www.openstreetmap.org/?mlat=${encodeURIComponent(latitude)}&mlon=${encodeURIComponent(longitude)}#map=15/${encodeURIComponent(latitude)}/${encodeURIComponent(longitude)}`;
  const node = link(map, el("span", { class: "map", "aria-hidden": "true" }, icon("pin")),
    el("b", { dir: "auto" }, label || "Location"), address && el("span", { dir: "auto" }, address),
    el("small", {}, `${latitude}, ${longitude}`));
  node.classList.add("location");
  return node;
}
