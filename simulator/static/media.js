// What is attached to a message, to see, hear or open. The simulator fetches it, so the page loads from nowhere else.
import { el, icon } from "./dom.js";
import { link } from "./text.js";

const KINDS = { image: picture, audio: sound, video: film };

export function attachments(view) {
  return view.media.map((media, n) => {
    const address = `/_sim/messages/${encodeURIComponent(view.sid)}/media/${n}`;
    return (KINDS[media.content_type.split("/")[0]] ?? document_)(address, media, media.filename || nameOf(media.url));
  });
}

function picture(address, media, name) {
  const image = el("img", { src: address, alt: `Picture ${name}`, loading: "lazy" });
  const node = link(address, image);
  node.className = "picture";
  image.addEventListener("error", () => node.replaceWith(document_(address, media, name)));
  return node;
}

function sound(address, media, name) {
  return el("audio", { src: address, controls: true, preload: "metadata", "aria-label": `Sound ${name}` });
}

function film(address, media, name) {
  return el("video", { src: address, controls: true, preload: "metadata", "aria-label": `Video ${name}` });
}

function document_(address, media, name) {
  const node = link(address, icon("file"), el("span", {}, el("b", { dir: "auto" }, name), el("small", {}, media.content_type)));
  node.className = "document";
  return node;
}

// What the simulator keeps itself goes by an id, which is no name.
function nameOf(address) {
  const last = URL.canParse(address) ? new URL(address).pathname.split("/").pop() : "";
  try { return decodeURIComponent(last) || "from this phone"; } catch { return last; }
}
