// The phones on the page. What happened comes from /_sim/events; what a person writes goes to /_sim/inbound.
const settings = JSON.parse(document.getElementById("settings").textContent);
const desk = document.querySelector(".desk");
const template = document.getElementById("phone");
const live = document.querySelector(".live");
const STORE = "simulator.phones";
const CHANNELS = ["sms", "whatsapp"];
const TICK = '<svg viewBox="0 0 14 10"><path d="M2 5.5 5 8.5 12 1.5"/></svg>';
const TICKS = '<svg viewBox="0 0 19 10"><path d="M1.5 5.2 4.8 8.5 11 1.5M8.6 7.9l.7.6 6.7-7"/></svg>';
const CLOCK = '<svg viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.6"/><path d="M6 3.6V6l1.6 1"/></svg>';
const BANG = '<svg viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.6"/><path d="M6 3.5v3M6 8.6v.01"/></svg>';
// status -> [picture, spoken text, state for the style sheet]
const STATUS = {
  accepted: [CLOCK, "Accepted", "going"],
  scheduled: [CLOCK, "Scheduled", "going"],
  queued: [CLOCK, "Queued", "going"],
  sending: [CLOCK, "Sending", "going"],
  received: [TICK, "Sent", "sent"],
  sent: [TICK, "Sent", "sent"],
  heard: [TICKS, "Delivered", "delivered"],
  delivered: [TICKS, "Delivered", "delivered"],
  read: [TICKS, "Read", "read"],
  failed: [BANG, "Failed", "failed"],
  undelivered: [BANG, "Not delivered", "failed"],
  canceled: [BANG, "Canceled", "failed"],
};

const phones = new Map(); // number -> Phone
const messages = new Map(); // sid, also of the conversation's copy -> {phone, view, node}

class Phone {
  constructor({ number, channel = "sms" }) {
    this.number = number;
    this.threads = { sms: [], whatsapp: [] };
    this.unread = { sms: 0, whatsapp: 0 };
    this.drafts = { sms: "", whatsapp: "" };
    this.root = template.content.firstElementChild.cloneNode(true);
    this.root.dataset.number = number;
    this.root.setAttribute("aria-label", `Phone ${pretty(number)}`);
    this.part = (selector) => this.root.querySelector(selector);
    this.part(".number").textContent = pretty(number);
    this.thread = this.part(".thread");
    this.log = this.part(".log");
    this.input = this.part("textarea");
    this.tabs = [...this.root.querySelectorAll("[role=tab]")];
    this.label();
    this.listen();
    this.open(channel);
  }

  label() {
    const id = `p${this.number.slice(1)}`;
    this.input.id = `${id}-input`;
    this.part("label").htmlFor = this.input.id;
    this.thread.id = `${id}-thread`;
    for (const tab of this.tabs) {
      tab.id = `${id}-${tab.dataset.channel}`;
      tab.setAttribute("aria-controls", this.thread.id);
    }
    this.part(".suggestions").append(...settings.suggestions.map((text) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => { this.send(text); this.input.focus(); });
      return button;
    }));
    this.part(".hint").textContent =
      settings.suggestions.length ? "Text the number, or start with one of these." : "Text the number.";
  }

  listen() {
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      if (text) { this.input.value = ""; this.send(text); }
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.part("form").requestSubmit();
      }
    });
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.open(tab.dataset.channel));
      tab.addEventListener("keydown", (event) => {
        if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
          this.open(this.channel === "sms" ? "whatsapp" : "sms");
          this.tabs.find((other) => other.dataset.channel === this.channel).focus();
        }
      });
    }
    this.part(".remove").addEventListener("click", () => remove(this));
  }

  open(channel) {
    if (this.channel) this.drafts[this.channel] = this.input.value;
    this.channel = channel;
    this.root.dataset.channel = channel;
    this.input.value = this.drafts[channel];
    this.unread[channel] = 0;
    for (const tab of this.tabs) {
      const selected = tab.dataset.channel === channel;
      tab.setAttribute("aria-selected", selected);
      tab.tabIndex = selected ? 0 : -1;
      if (selected) this.thread.setAttribute("aria-labelledby", tab.id);
    }
    const peer = settings[channel];
    this.part(".peer").textContent = `to ${pretty(peer)}`;
    this.part("label").textContent = `Message to ${pretty(peer)} by ${channel === "sms" ? "SMS" : "WhatsApp"}`;
    this.complain("");
    this.draw();
    this.look();
    remember();
  }

  async send(text) {
    this.complain("");
    const channel = this.channel;
    try {
      const answer = await post("inbound", { from: this.number, body: text, channel });
      take(await answer.json());
    } catch (problem) {
      if (this.channel === channel && !this.input.value) this.input.value = text;
      this.complain(`Not sent: ${problem.message}`);
    }
  }

  complain(text) {
    const trouble = this.part(".trouble");
    trouble.textContent = text;
    trouble.hidden = !text;
  }

  add(entry) {
    const thread = this.threads[entry.view.channel];
    let place = thread.length;
    while (place > 0 && thread[place - 1].view.created > entry.view.created) place -= 1;
    thread.splice(place, 0, entry);
    if (entry.view.channel === this.channel) {
      entry.node.classList.add("new");
      this.draw();
    } else if (entry.view.direction !== "inbound") {
      this.unread[entry.view.channel] += 1;
      this.count();
    }
  }

  draw() {
    const atEnd = this.thread.scrollHeight - this.thread.scrollTop - this.thread.clientHeight < 80;
    const wanted = [];
    let day = "";
    for (const entry of this.threads[this.channel]) {
      const own = dayOf(entry.view.created);
      if (own !== day) { day = own; wanted.push(dayNode(this, day)); }
      wanted.push(entry.node);
    }
    // Only what is new is inserted, so that a screen reader speaks just that.
    wanted.forEach((node, i) => { if (this.log.children[i] !== node) this.log.insertBefore(node, this.log.children[i] ?? null); });
    while (this.log.children.length > wanted.length) this.log.lastChild.remove();
    this.part(".empty").hidden = wanted.length > 0;
    if (atEnd || !this.scrolled) { this.thread.scrollTop = this.thread.scrollHeight; this.scrolled = true; }
    this.count();
  }

  count() {
    for (const tab of this.tabs) {
      const badge = tab.querySelector(".unread");
      const unread = this.unread[tab.dataset.channel];
      badge.hidden = !unread;
      badge.textContent = unread || "";
    }
  }

  // Somebody looks at an open WhatsApp thread: what arrived there is read.
  look() {
    if (this.channel !== "whatsapp" || document.hidden) return;
    if (this.threads.whatsapp.some(({ view }) => view.direction !== "inbound" && view.status === "delivered")) {
      post("read", { phone: `whatsapp:${this.number}` }).catch(() => {});
    }
  }

  clear() {
    this.threads = { sms: [], whatsapp: [] };
    this.unread = { sms: 0, whatsapp: 0 };
    this.draw();
  }
}

function take(view) {
  const phone = phones.get(view.phone.slice(view.phone.indexOf(":") + 1));
  if (!phone || !CHANNELS.includes(view.channel) || messages.has(view.sid)) return;
  const entry = { phone, view, node: document.createElement("li") };
  if (view.heard) view.status = "heard";
  messages.set(view.sid, entry);
  if (view.chat_message_sid && view.direction === "inbound") messages.set(view.chat_message_sid, entry);
  const mine = view.direction === "inbound";
  entry.node.className = `said ${mine ? "mine" : "theirs"}`;
  entry.node.dataset.sid = view.sid;
  entry.node.append(bubble(view), meta(view));
  show(entry);
  phone.add(entry);
}

function show({ view, node }) {
  const [picture, spoken, state] = STATUS[view.status] ?? [CLOCK, view.status, "going"];
  const ticks = node.querySelector(".ticks");
  node.dataset.status = view.status;
  ticks.innerHTML = picture;
  ticks.dataset.state = state;
  ticks.title = spoken;
  ticks.setAttribute("aria-label", spoken);
  const why = node.querySelector(".why");
  why.textContent = view.trouble ?? (view.error_code ? `${spoken} (${view.error_code})` : "");
}

function bubble(view) {
  const node = document.createElement("div");
  node.className = "bubble";
  for (const media of view.media) {
    const image = media.content_type.startsWith("image/");
    const part = document.createElement(image ? "img" : "a");
    if (image) { part.src = media.url; part.alt = "Picture"; } else { part.href = media.url; part.textContent = media.url; }
    node.append(part);
  }
  node.append(view.body || (view.content_sid ? `Template ${view.content_sid}` : ""));
  return node;
}

function meta(view) {
  const node = document.createElement("div");
  node.className = "meta";
  const time = document.createElement("time");
  time.dateTime = view.created;
  time.textContent = new Date(view.created).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const ticks = document.createElement("span");
  ticks.className = "ticks";
  ticks.setAttribute("role", "img");
  const why = document.createElement("span");
  why.className = "why";
  node.append(time, ticks, why);
  return node;
}

function dayNode(phone, day) {
  phone.days ??= new Map();
  if (!phone.days.has(day)) {
    const node = document.createElement("li");
    node.className = "day";
    node.textContent = day;
    phone.days.set(day, node);
  }
  return phone.days.get(day);
}

function dayOf(instant) {
  const date = new Date(instant);
  if (date.toDateString() === new Date().toDateString()) return "Today";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

const heard = {
  inbound: take,
  outbound: take,
  status(record) {
    const entry = messages.get(record.sid);
    if (!entry) return;
    Object.assign(entry.view, { status: record.status, error_code: record.error_code });
    show(entry);
    if (record.status === "delivered") entry.phone.look();
  },
  // Two ticks under one's own text: the product's webhook took it.
  webhook(record) {
    const entry = messages.get(record.subject);
    if (!entry || entry.view.direction !== "inbound" || entry.view.status === "heard") return;
    if (record.status >= 200 && record.status < 300) Object.assign(entry.view, { status: "heard", trouble: "" });
    else entry.view.trouble = `Not taken: ${record.error ?? `HTTP ${record.status}`}`;
    show(entry);
  },
  reset() {
    messages.clear();
    for (const phone of phones.values()) phone.clear();
  },
};

async function history(phone) {
  const answer = await fetch(`/_sim/messages?limit=200&phone=${encodeURIComponent(phone.number)}`);
  const { messages: rows, last_id: last } = await answer.json();
  rows.forEach(take);
  phone.unread = { sms: 0, whatsapp: 0 };
  phone.scrolled = false;
  phone.draw();
  phone.look();
  return last;
}

function follow(after) {
  const source = new EventSource(`/_sim/events?after=${after}`);
  source.addEventListener("open", () => state("live", "Live"));
  source.addEventListener("error", () => state("lost", "Reconnecting"));
  source.addEventListener("message", ({ data }) => {
    const record = JSON.parse(data);
    heard[record.kind]?.(record);
  });
}

function state(name, text) {
  live.dataset.state = name;
  live.querySelector(".label").textContent = text;
}

async function post(path, body) {
  const answer = await fetch(`/_sim/${path}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error ?? `HTTP ${answer.status}`);
  return answer;
}

function put(saved) {
  const phone = new Phone(saved);
  phones.set(phone.number, phone);
  desk.append(phone.root);
  single();
  remember();
  return phone;
}

function remove(phone) {
  phones.delete(phone.number);
  for (const [sid, entry] of messages) if (entry.phone === phone) messages.delete(sid);
  phone.root.remove();
  single();
  remember();
  document.querySelector(".add").focus();
}

// The last phone stays.
function single() {
  for (const phone of phones.values()) phone.part(".remove").hidden = phones.size === 1;
}

function remember() {
  const saved = [...phones.values()].map(({ number, channel }) => ({ number, channel }));
  try { localStorage.setItem(STORE, JSON.stringify(saved)); } catch { /* private windows may refuse */ }
}

function remembered() {
  try {
    const saved = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return saved.filter(({ number, channel }) => /^\+\d{7,15}$/.test(number) && CHANNELS.includes(channel));
  } catch { return []; }
}

function freshNumber() {
  for (;;) {
    const number = `+1555${String(2000000 + Math.floor(Math.random() * 7999999)).padStart(7, "0")}`;
    if (!phones.has(number) && number !== settings.sms && number !== settings.whatsapp) return number;
  }
}

function pretty(number) {
  const [, area, exchange, line] = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number) ?? [];
  return area ? `+1 ${area} ${exchange} ${line}` : number;
}

document.querySelector(".add").addEventListener("click", () => {
  const phone = put({ number: freshNumber() });
  phone.root.scrollIntoView({ block: "nearest" });
  phone.input.focus();
});
document.addEventListener("visibilitychange", () => { for (const phone of phones.values()) phone.look(); });

const saved = remembered();
for (const phone of saved.length ? saved : [{ number: freshNumber() }]) put(phone);
const ids = await Promise.all([...phones.values()].map(history));
follow(Math.min(...ids));
