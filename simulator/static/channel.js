import { linked, marked } from "./text.js";

// The ways a phone can text, in the order of its tabs.
export const CHANNELS = {
  sms: { name: "SMS", length: 1600, files: 10, replies: false, places: false, write: linked },
  whatsapp: { name: "WhatsApp", length: 4096, files: 1, replies: true, places: true, write: marked },
};

// An address of the wire, such as whatsapp:+15551234567, in its two parts.
export function split(address) {
  const at = address.indexOf(":");
  return at < 0 ? { channel: "sms", number: address } : { channel: address.slice(0, at), number: address.slice(at + 1) };
}

export function join(channel, number) {
  return channel === "sms" ? number : `${channel}:${number}`;
}
