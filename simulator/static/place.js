// Places to send, so that nobody needs to know a latitude.
import { el } from "./dom.js";

const PLACES = [
  { label: "Ferry Building", address: "1 Ferry Building, San Francisco", latitude: 37.7955, longitude: -122.3937 },
  { label: "Brandenburger Tor", address: "Pariser Platz, Berlin", latitude: 52.5163, longitude: 13.3777 },
  { label: "برج خليفة", address: "دبي", latitude: 25.1972, longitude: 55.2744 },
];

export function placesInto(form) {
  const choose = (place) => { for (const [name, value] of Object.entries(place)) form.elements[name].value = value; };
  form.querySelector(".places").replaceChildren(...PLACES.map((place) =>
    el("button", { type: "button", dir: "auto", on: { click: () => choose(place) } }, place.label)));
  choose(PLACES[0]);
}
