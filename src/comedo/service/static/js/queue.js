// Photos on their way: one at a time, again after a lost connection, each kept once (its key is drawn when it is added).
// What waits lives in this page only: nothing of a face is left in the browser's storage.
const PAUSES_MS = [1000, 2000, 4000, 8000, 15000];

export class Queue {
  constructor(changed) {
    this.changed = changed;
    this.items = [];
    addEventListener("online", () => this.wake?.());
    addEventListener("beforeunload", (event) => this.busy && event.preventDefault());
  }

  get busy() {
    return this.items.some((item) => ["waiting", "sending", "offline"].includes(item.state));
  }

  add(file, fields) {
    const item = { file, fields, state: "waiting", progress: 0 };
    this.items.push(item);
    this.changed(item);
    this.run();
    return item;
  }

  again(item) {
    this.set(item, "waiting");
    this.run();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    for (let item = this.next(); item; item = this.next()) await this.send(item);
    this.running = false;
  }

  next() {
    return this.items.find((item) => item.state === "waiting");
  }

  async send(item) {
    item.key ??= newKey();
    for (let tries = 0; ; tries += 1) {
      this.set(item, "sending");
      const answer = await post(item, (share) => this.set(item, "sending", share));
      if (answer.status === 0 || [429, 502, 503, 504].includes(answer.status)) {
        this.set(item, "offline");
        await this.pause(PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
        continue;
      }
      item.answer = answer.body;
      this.set(item, answer.status < 300 ? "sent" : "failed");
      return;
    }
  }

  pause(ms) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, ms);
    });
  }

  set(item, state, progress = item.progress) {
    Object.assign(item, { state, progress });
    this.changed(item);
  }
}

// XMLHttpRequest, because fetch does not tell how much was sent.
function post(item, tell) {
  const form = new FormData();
  for (const [name, value] of Object.entries(item.fields)) if (value) form.append(name, value);
  form.append("file", item.file);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/photos");
    request.setRequestHeader("Idempotency-Key", item.key);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && tell(event.loaded / event.total));
    request.addEventListener("loadend", () => resolve({ status: request.status, body: request.response }));
    request.send(form);
  });
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
