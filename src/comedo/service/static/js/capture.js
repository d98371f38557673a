// The capture page: choosing, dropping, pasting or taking photos, and what becomes of each.
import { Camera } from "./camera.js";
import { say } from "./dialog.js";
import { follow } from "./jobs.js";
import { Queue } from "./queue.js";

const texts = JSON.parse(document.getElementById("texts").content.textContent);
const form = document.getElementById("upload");
const list = document.getElementById("queue");
const chosen = new Map(); // side -> file
const queue = new Queue(draw);
let sitting = null; // id of the visit that the sides of one sitting share

for (const slot of form.querySelectorAll(".view")) {
  const input = slot.querySelector("input");
  input.addEventListener("change", () => choose(slot.dataset.view, input.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    slot.addEventListener(name, (event) => {
      event.preventDefault();
      slot.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) slot.addEventListener(name, () => slot.classList.remove("is-over"));
  slot.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    choose(slot.dataset.view, pictures(event.dataTransfer.files)[0]);
  });
}

addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  take(pictures(event.dataTransfer.files));
});
addEventListener("paste", (event) => take(pictures(event.clipboardData.files)));
document.getElementById("many").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = "";
});

function pictures(files) {
  return [...files].filter((file) => file.type.startsWith("image/"));
}

// One photo goes to the first free side; several are photos of their own.
function take(files) {
  if (files.length === 1 && !chosen.has("front")) choose("front", files[0]);
  else for (const file of files) enqueue(file, "front", null);
}

function choose(view, file) {
  if (!file) return;
  chosen.set(view, file);
  const slot = form.querySelector(`[data-view="${view}"]`);
  slot.classList.add("is-done");
  slot.querySelector("img")?.remove();
  const picture = document.createElement("img");
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  slot.prepend(picture);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!chosen.size) {
    say(texts["queue.choose"]);
    return;
  }
  const visit = chosen.size > 1 ? await open() : null;
  for (const [view, file] of chosen) enqueue(file, view, visit);
  chosen.clear();
  form.reset();
  for (const slot of form.querySelectorAll(".view")) {
    slot.classList.remove("is-done");
    slot.querySelector("img")?.remove();
  }
});

async function open() {
  try {
    sitting ??= (await (await fetch("/api/v1/visits", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ taken_at: taken() }),
    })).json()).id;
  } catch {
    sitting = null; // without a connection the sides are photos of their own
  }
  return sitting;
}

function taken() {
  const day = document.getElementById("taken").value;
  return day ? `${day}T12:00:00Z` : null;
}

function enqueue(file, view, visit) {
  if (file.size > Number(form.dataset.limit)) {
    say(`${file.name}: ${texts["queue.large"]}`);
    return;
  }
  list.hidden = false;
  queue.add(file, { view, visit, taken_at: taken() });
}

async function draw(item) {
  item.row ??= list.querySelector(".queue").appendChild(makeRow(item));
  const { status, bar } = item.row;
  item.row.dataset.state = item.state;
  status.textContent = texts[`queue.${item.state === "sent" ? "analysing" : item.state}`];
  bar.hidden = !["waiting", "sending", "sent"].includes(item.state);
  bar.value = item.progress;
  if (item.state === "failed") end(item, refused(item.answer), [again(item)]);
  if (item.state === "sent" && !item.followed) await result(item);
}

// The page's own words for a refusal; what the API says is English.
function refused(problem) {
  const own = document.documentElement.lang === "en" ? problem?.detail : null;
  return texts[`refusal.${problem?.code}`] ?? own ?? texts["refusal.other"];
}

async function result(item) {
  item.followed = true;
  const { photo, job } = item.answer;
  const done = job ? await follow(job, (now) => (item.row.bar.value = now.progress)) : { state: "done" };
  const address = `/photos/${photo.id}`;
  if (done.state === "failed") {
    const more = done.error === "poor_photo" ? [anyway(item, photo.id)] : [];
    item.row.status.textContent = texts["queue.refused"];
    end(item, await (await fetch(`/photos/${photo.id}/refusal`)).text(), [...more, link(address)]);
    return;
  }
  if (queue.items.length === 1) return location.assign(address);
  const { analysis } = await (await fetch(`/api/v1/photos/${photo.id}`)).json();
  item.row.status.textContent = texts[`quality.${analysis?.verdict}`] ?? texts["queue.done"];
  end(item, analysis ? `${analysis.total} ${texts["queue.unit"]}` : "", [link(address)]);
  item.state = "done";
}

function makeRow(item) {
  const row = document.createElement("div");
  row.className = "queue__item";
  const picture = document.createElement("img");
  picture.alt = item.file.name;
  picture.src = URL.createObjectURL(item.file);
  const middle = document.createElement("div");
  row.status = document.createElement("b");
  row.detail = document.createElement("span");
  row.detail.className = "soft";
  row.bar = document.createElement("progress");
  row.bar.className = "progress";
  row.bar.setAttribute("aria-label", item.file.name);
  row.buttons = document.createElement("div");
  middle.append(row.status, row.detail, row.bar);
  row.append(picture, middle, row.buttons);
  return row;
}

function end(item, detail, buttons) {
  item.row.detail.textContent = detail;
  item.row.bar.hidden = true;
  item.row.buttons.replaceChildren(...buttons);
}

function again(item) {
  return button(texts["queue.again"], () => {
    item.row.buttons.replaceChildren();
    queue.again(item);
  });
}

function anyway(item, photo) {
  return button(texts["queue.anyway"], async () => {
    const answer = await fetch(`/api/v1/photos/${photo}/analyses`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ allow_poor: true }),
    });
    item.answer = { photo: { id: photo }, job: (await answer.json()).id };
    item.row.buttons.replaceChildren();
    await result(item);
  });
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button button--small";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function link(address) {
  const made = document.createElement("a");
  made.className = "button button--quiet button--small";
  made.href = address;
  made.textContent = texts["queue.open"];
  return made;
}

const live = document.getElementById("live");
if (Camera.there) {
  const camera = new Camera(document.getElementById("camera"), texts, (file, side) => choose(side, file));
  live.hidden = false;
  live.addEventListener("click", async () => {
    live.disabled = true; // asked once a visit; a refusal is final until the page is opened again
    live.disabled = !(await camera.open());
  });
}
