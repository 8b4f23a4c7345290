// What happens in the simulator, live. `on` maps kinds of records to listeners; `state` hears live and lost.
const AGAIN = 2000; // milliseconds until a stream that the server refused is tried again

export class Feed {
  constructor({ on, state }) {
    this.on = on;
    this.state = state;
    this.last = 0;
  }

  follow(after) {
    this.last = after;
    const source = new EventSource(`/_sim/events?after=${after}`);
    source.addEventListener("open", () => this.state("live"));
    source.addEventListener("error", () => {
      this.state("lost");
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.follow(this.last), AGAIN);
    });
    source.addEventListener("message", ({ data }) => {
      const record = JSON.parse(data);
      this.last = record.id;
      this.on[record.kind]?.(record);
    });
  }
}
