// Moments in local time, and countdowns that count.
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const SHORT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "medium" });

const isToday = (at) => at.toDateString() === new Date().toDateString();

const FORMS = {
  clock: (at) => CLOCK.format(at),
  lately: (at) => (isToday(at) ? CLOCK : SHORT).format(at),
  day: (at) => (isToday(at) ? "Today" : DAY.format(at)),
};

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// As `words.span`: the largest unit, two where it is short.
export function span(seconds) {
  const s = Math.abs(Math.trunc(seconds)), m = Math.trunc(s / 60), h = Math.trunc(s / 3600), d = Math.trunc(s / 86400);
  if (d) return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
  if (h) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
  return m ? `${m} min` : `${s} s`;
}

function count(node) {
  const left = (Date.parse(node.dateTime) - Date.now()) / 1000;
  put(node, left < 0 ? `${span(left)} ago` : left < 300 && left >= 60 ? `${span(left)} ${Math.trunc(left) % 60} s` : span(left));
  if (left < 0) node.dataset.state = "over";
  else if (left < Number(node.dataset.urgent)) node.dataset.state = "urgent";
  else delete node.dataset.state;
}

// Everything within a part of the page; again for what has been replaced.
export function tell(part = document) {
  for (const node of part.querySelectorAll("time[data-form]")) {
    const at = new Date(node.dateTime);
    put(node, FORMS[node.dataset.form](at));
    node.title = FULL.format(at);
  }
  for (const node of part.querySelectorAll("time[data-count]")) count(node);
}

setInterval(() => document.querySelectorAll("time[data-count]").forEach(count), 1000);
