// Changes one tree into another and keeps what is the same: focus, scroll, what is open, what is being written.
const KEPT = new Set(["open", "value"]);

// Of several children, those with an id are the same wherever they stand; the others are, in their order, by name.
function key(node) {
  return node.nodeType === Node.ELEMENT_NODE && node.id ? `#${node.id}` : null;
}

function attributes(old, now) {
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function children(old, now) {
  const keyed = new Map([...old.childNodes].filter(key).map((child) => [key(child), child]));
  let place = old.firstChild;
  for (const wanted of [...now.childNodes]) {
    let found = key(wanted) ? keyed.get(key(wanted)) : place;
    if (!key(wanted)) while (found && key(found)) found = found.nextSibling;
    if (found && found.nodeName === wanted.nodeName) {
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
      sync(found, wanted);
    } else {
      const fresh = old.insertBefore(document.importNode(wanted, true), place);
      if (fresh.nodeType === Node.ELEMENT_NODE) fresh.classList.add("new");
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

export function sync(old, now) {
  if (old.isEqualNode(now) || old.dataset?.keep === "all") return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = now.nodeValue;
    return;
  }
  if (old.nodeName !== now.nodeName) {
    old.replaceWith(document.importNode(now, true));
    return;
  }
  attributes(old, now);
  if (!old.hasAttribute("data-keep")) children(old, now);
}
