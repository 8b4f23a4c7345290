// How far a message is: status -> [picture, words, state for the style sheet].
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
const TABLE = {
  accepted: ["going", "Accepted", "going"],
  scheduled: ["going", "Scheduled", "going"],
  queued: ["going", "Queued", "going"],
  sending: ["going", "Sending", "going"],
  receiving: ["going", "Sending", "going"],
  received: ["tick", "Sent", "sent"],
  sent: ["tick", "Sent", "sent"],
  heard: ["ticks", "Delivered", "delivered"], // our own word: the product's webhook took it
  delivered: ["ticks", "Delivered", "delivered"],
  partially_delivered: ["ticks", "Partly delivered", "delivered"],
  read: ["ticks", "Read", "read"],
  failed: ["failed", "Failed", "failed"],
  undelivered: ["failed", "Not delivered", "failed"],
  canceled: ["failed", "Canceled", "failed"],
};

export function statusOf(name) {
  const [picture, words, state] = TABLE[name] ?? ["going", name, "going"];
  return { picture, words, state };
}
