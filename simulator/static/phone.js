// One person's phone: a thread and a draft for each channel, and what the person does.
import * as api from "./api.js";
import { CHANNELS, join } from "./channel.js";
import { hour } from "./clock.js";
import { Composer } from "./composer.js";
import { ask } from "./dialog.js";
import { complain, copy, el } from "./dom.js";
import { Message } from "./message.js";
import { placesInto } from "./place.js";
import { pretty } from "./text.js";
import { Thread, ThreadView } from "./thread.js";

const HISTORY = 200; // messages that are fetched when a phone is put on the desk
const MINUTE = 60_000; // milliseconds

export class Phone extends EventTarget {
  // `settings` are the page's: our numbers, suggestions. Fires "change" when there is something to keep or count.
  constructor({ id, name, number, channel = "sms" }, { settings, clock }) {
    super();
    Object.assign(this, { id, settings, clock });
    this.messages = new Map(); // sid, also of the conversation's copy -> Message
    this.threads = Object.fromEntries(Object.keys(CHANNELS).map((key) => [key, new Thread(key)]));
    this.root = copy("phone");
    this.part = (selector) => this.root.querySelector(selector);
    this.tabs = [...this.root.querySelectorAll("[role=tab]")];
    this.view = new ThreadView(this.root, clock);
    this.complain = (text) => complain(this.part(".screen > .trouble"), text);
    this.composer = new Composer(this.root, { send: (parts) => this.send(parts), complain: this.complain });
    this.furnish();
    this.rename(name, number);
    this.open(channel);
    this.leaving = new AbortController();
    clock.addEventListener("tick", () => this.tick(), { signal: this.leaving.signal });
    this.tick();
  }

  get unread() {
    return Object.values(this.threads).reduce((sum, thread) => sum + thread.unread, 0);
  }

  get thread() {
    return this.threads[this.channel];
  }

  get looked() {
    return !document.hidden && this.root.checkVisibility();
  }

  furnish() {
    this.part("textarea").id = `${this.id}-input`;
    this.part(".composer label").htmlFor = `${this.id}-input`;
    this.part(".screen").id = `${this.id}-screen`;
    for (const tab of this.tabs) {
      tab.id = `${this.id}-${tab.dataset.channel}`;
      tab.setAttribute("aria-controls", `${this.id}-screen`);
      tab.addEventListener("click", () => this.open(tab.dataset.channel));
      tab.addEventListener("keydown", (event) => this.turn(event));
    }
    const { suggestions } = this.settings;
    this.part(".hint").textContent = suggestions.length ? "Write something, or start with one of these." : "Write something.";
    this.part(".suggestions").append(...suggestions.map((text) => el("button", {
      type: "button", dir: "auto", on: { click: () => { this.say({ body: text }); this.composer.input.focus(); } },
    }, text)));
    this.part(".place").addEventListener("click", () => this.sendPlace());
  }

  rename(name, number) {
    Object.assign(this, { name, number });
    this.root.dataset.number = number;
    this.root.setAttribute("aria-label", `Phone of ${name}`);
    this.part(".name").textContent = name;
    this.part(".number").textContent = pretty(number);
    this.part(".avatar").textContent = [...name.trim()][0]?.toUpperCase() ?? "?";
    this.part(".edit").setAttribute("aria-label", `Name and number of ${name}`);
    this.part(".remove").setAttribute("aria-label", `Remove the phone of ${name}`);
  }

  turn(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = this.tabs[(this.tabs.indexOf(event.currentTarget) + step + this.tabs.length) % this.tabs.length];
    this.open(next.dataset.channel);
    next.focus();
  }

  open(channel) {
    this.channel = channel;
    this.root.dataset.channel = channel;
    for (const tab of this.tabs) {
      const selected = tab.dataset.channel === channel;
      tab.setAttribute("aria-selected", selected);
      tab.tabIndex = selected ? 0 : -1;
      if (selected) this.part(".screen").setAttribute("aria-labelledby", tab.id);
    }
    const peer = pretty(this.settings[channel]);
    this.part(".peer-number").textContent = peer;
    this.part(".thread").setAttribute("aria-label", `Messages by ${CHANNELS[channel].name}; arrow keys walk through them`);
    this.composer.open(channel, this.thread.draft, `Message to ${peer} by ${CHANNELS[channel].name}`);
    this.complain("");
    this.view.show(this.thread);
    this.look();
  }

  async send({ text, files, quoted }) {
    const media = await Promise.all(files.map(api.upload));
    const most = CHANNELS[this.channel].files;
    const reply = quoted ? { reply_to: quoted.sid } : {};
    if (media.length <= most) return this.say({ body: text, media, ...reply }, { raise: true });
    // One file a message; the text goes with the first.
    for (const [n, file] of media.entries()) {
      await this.say({ body: n ? "" : text, media: [file], ...(n ? {} : reply) }, { raise: true });
    }
  }

  async say(fields, { raise = false } = {}) {
    this.complain("");
    const { channel } = this;
    const profile = channel === "whatsapp" ? { profile_name: this.name } : {};
    try {
      this.view.following = true;
      this.take(await api.post("inbound", { from: this.number, channel, ...profile, ...fields }));
    } catch (problem) {
      if (raise) throw problem;
      this.complain(`Not sent: ${problem.message}`);
    }
  }

  async sendPlace() {
    const place = await ask("place", { fill: placesInto });
    if (!place) return;
    const { latitude, longitude, label, address } = place;
    await this.say({ location: { latitude: Number(latitude), longitude: Number(longitude), label, address } });
    this.composer.input.focus();
  }

  // A record of a message, from the history or live. Returns the Message if it is new.
  take(view, { live = false, quiet = false } = {}) {
    const { channel } = view;
    if (!this.threads[channel] || this.messages.has(view.sid)) return null;
    const replies = CHANNELS[channel].replies;
    const message = new Message(view, {
      reply: replies && ((target) => { this.composer.quote(target); this.composer.input.focus(); }),
      press: (target, button) => this.say({ body: button.text, button, ...(replies ? { reply_to: target.sid } : {}) }),
      details: (target) => showDetails(target),
      find: (sid) => this.messages.get(sid),
    });
    this.messages.set(view.sid, message);
    if (view.chat_message_sid && message.mine) this.messages.set(view.chat_message_sid, message);
    const { button, reply_to: replied } = message.view;
    if (message.mine && button) this.messages.get(replied)?.press(button);
    const thread = this.threads[channel];
    thread.add(message);
    if (live) {
      message.node.classList.add("new");
      if (!message.mine) this.arrived(thread);
    }
    if (!quiet) this.look();
    return message;
  }

  arrived(thread) {
    const seen = thread === this.thread && this.looked;
    if (!seen) thread.unread += 1;
    if (thread === this.thread && !this.view.following) thread.below += 1;
  }

  typing({ channel, sid }) {
    const thread = this.threads[channel];
    if (!thread) return;
    thread.dots(() => { if (thread === this.thread) this.showPeer(); });
    // To write is to have read: that message, and all before it.
    const upTo = this.messages.get(sid)?.created;
    for (const message of thread.messages) if (message.mine && message.created <= upTo) message.update({ status: "read" });
    if (thread === this.thread) this.showPeer();
  }

  // Somebody looks at the open thread: nothing in it is unread, and what arrived by WhatsApp is read.
  look() {
    this.showPeer();
    if (this.looked) {
      this.thread.unread = 0;
      const { messages } = this.thread;
      if (this.channel === "whatsapp" && messages.some(({ mine, view }) => !mine && view.status === "delivered")) {
        api.post("read", { phone: join("whatsapp", this.number) }).catch(() => {});
      }
    }
    for (const tab of this.tabs) badge(tab.querySelector(".unread"), this.threads[tab.dataset.channel].unread);
    this.dispatchEvent(new Event("change"));
  }

  showPeer() {
    const { writing } = this.thread;
    this.part(".peer-state").textContent = writing ? "writing…" : { sms: "Text message", whatsapp: "online" }[this.channel];
    this.view.draw();
  }

  tick() {
    const now = this.clock.now();
    const minute = Math.floor(now / MINUTE);
    if (minute === this.minute) return; // the hour alone would not tell: a day ahead it is the same
    this.minute = minute;
    const face = this.part(".device-time");
    face.textContent = hour(now);
    face.dateTime = now.toISOString();
    this.view.draw(); // today may have become yesterday
  }

  // Everything there is of this phone; what the simulator has forgotten goes. Returns the last record's id.
  async fetch() {
    const { messages, last_id: last } = await api.get(`messages?limit=${HISTORY}&phone=${encodeURIComponent(this.number)}`);
    const known = new Set(messages.map(({ sid }) => sid));
    if ([...this.messages.values()].some(({ sid }) => !known.has(sid)) && messages.length < HISTORY) this.clear();
    for (const view of messages) this.messages.get(view.sid)?.renew(view) ?? this.take(view, { quiet: true });
    this.look();
    return last;
  }

  // The phone goes off the desk; what it wrote stays with the simulator.
  leave() {
    this.leaving.abort();
    for (const thread of Object.values(this.threads)) thread.still();
    this.root.remove();
  }

  clear() {
    this.messages.clear();
    for (const thread of Object.values(this.threads)) thread.clear();
    this.open(this.channel);
  }
}

export function badge(node, count) {
  node.hidden = !count;
  node.replaceChildren(...(count ? [String(count), el("span", { class: "hidden" }, " unread")] : []));
}

function showDetails({ view }) {
  const rows = {
    Sid: view.sid, Status: view.status, Direction: view.direction, Channel: view.channel, Number: view.number,
    Sent: new Date(view.created).toLocaleString(), Error: view.error_code, Conversation: view.conversation_sid,
    "Conversation's message": view.chat_message_sid, Template: view.content_sid,
    Files: view.media.map(({ content_type: type }) => type).join(", "),
  };
  return ask("details", {
    fill: (form) => form.querySelector("dl").replaceChildren(...Object.entries(rows).filter(([, value]) => value)
      .flatMap(([name, value]) => [el("dt", {}, name), el("dd", { dir: "auto" }, String(value))])),
  });
}
