// What people write, as nodes: addresses on the web become links, all else stays text.
import { el } from "./dom.js";

const LINK = /\bhttps?:\/\/[^\s<>"']+/gi;
const TAIL = /[.,;:!?…)\]}]+$/;
const EMOJI = /^(?:\p{Extended_Pictographic}[\u{FE0F}\u{200D}\u{1F3FB}-\u{1F3FF}\p{Extended_Pictographic}]*\s*){1,3}$/u;

// WhatsApp's own marks. https://faq.whatsapp.com/539178204879377
const MARKS = { "*": "strong", _: "em", "~": "s", "`": "code" };
const MARK = /(^|[\s(])([*_~`])(?=\S)([^\n]{0,600}?\S)\2(?![\p{L}\p{N}])/u;

export function marked(text) {
  const nodes = [];
  let rest = text;
  for (let found = MARK.exec(rest); found; found = MARK.exec(rest)) {
    const [all, before, mark, inner] = found;
    nodes.push(...linked(rest.slice(0, found.index) + before));
    nodes.push(el(MARKS[mark], {}, ...(mark === "`" ? [inner] : marked(inner))));
    rest = rest.slice(found.index + all.length);
  }
  return [...nodes, ...linked(rest)];
}

export function linked(text) {
  const nodes = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const address = trimmed(found);
    if (!URL.canParse(address)) continue;
    nodes.push(text.slice(at, index), link(address, address));
    at = index + address.length;
  }
  nodes.push(text.slice(at));
  return nodes.filter((node) => node !== "");
}

export function link(address, ...children) {
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

export function isEmoji(text) {
  return EMOJI.test(text);
}

// A closing bracket belongs to the address only if it was opened in it.
function trimmed(address) {
  const tail = TAIL.exec(address)?.[0] ?? "";
  const bare = address.slice(0, address.length - tail.length);
  const opened = bare.split("(").length - bare.split(")").length;
  return opened > 0 && tail.startsWith(")") ? `${bare})` : bare;
}

export function pretty(number) {
  const [, area, exchange, line] = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number) ?? [];
  return area ? `+1 ${area} ${exchange} ${line}` : number;
}

// The digits of what a person types; "" when it is no number.
export function plain(typed) {
  const number = typed.replace(/[\s().-]/g, "");
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : "";
}
