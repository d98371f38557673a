// The clinician's reading from the keyboard: next and before, confirm, reject, another kind; a tap adds what was missed.
import { viewers } from "./viewer.js";

const form = document.getElementById("review");
const rows = [...form.querySelectorAll(".reading")];
const viewer = viewers[0];
const adding = document.getElementById("add");
const REACH = 0.012; // of the photo's width: diameter that a tapped lesion gets
let at = -1;

const keys = { j: () => go(1), k: () => go(-1), c: () => mark("confirm"), x: () => mark("reject") };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("textarea, select, input:not([type=radio])")) return;
  const act = keys[event.key.toLowerCase()] ?? (/^[1-6]$/.test(event.key) ? () => kind(Number(event.key)) : null);
  if (!act) return;
  event.preventDefault();
  act();
});

function go(step) {
  if (!rows.length) return;
  at = Math.min(Math.max(at + step, 0), rows.length - 1);
  const row = rows[at];
  viewer?.show(row.dataset.id);
  row.querySelector("input").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function mark(value) {
  if (at < 0) return go(1);
  rows[at].querySelector(`input[value="${value}"]`).checked = true;
  paint(rows[at]);
  return go(1);
}

function kind(number) {
  if (at < 0) return go(1);
  const code = ["open_comedone", "closed_comedone", "papule", "pustule", "nodule", "mark"][number - 1];
  const select = rows[at].querySelector("select");
  select.value = [...select.options].some((option) => option.value === code) ? code : "";
  return mark("confirm");
}

function paint(row) {
  const rejected = row.querySelector('input[value="reject"]').checked;
  viewer?.root.querySelector(`.lesion[data-id="${row.dataset.id}"]`)?.classList.toggle("is-rejected", rejected);
}

for (const [index, row] of rows.entries()) {
  row.addEventListener("change", () => paint(row));
  row.addEventListener("focusin", () => (at = index));
}

viewer?.root.addEventListener("lesion", (event) => {
  at = rows.findIndex((row) => row.dataset.id === event.detail);
  rows[at]?.scrollIntoView({ block: "nearest" });
});

adding.addEventListener("click", () => {
  adding.setAttribute("aria-pressed", String(adding.getAttribute("aria-pressed") !== "true"));
});

viewer?.stage.addEventListener("click", (event) => {
  if (adding.getAttribute("aria-pressed") !== "true" || event.target.closest("button") || viewer.moved > 6) return;
  const box = viewer.plane.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * viewer.width;
  const y = ((event.clientY - box.top) / box.height) * viewer.height;
  add(x, y, viewer.width * REACH);
});

function add(x, y, diameter) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "add";
  const choose = document.getElementById("kinds").content.firstElementChild.cloneNode(true);
  const tell = () => (field.value = [x.toFixed(1), y.toFixed(1), diameter.toFixed(1), choose.value].join());
  choose.addEventListener("change", tell);
  const status = document.getElementById("added");
  status.before(choose, field);
  tell();
  draw(x, y, diameter);
  status.textContent = status.dataset.text.replace("{n}", form.querySelectorAll('input[name="add"]').length);
}

function draw(x, y, diameter) {
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [name, value] of Object.entries({ cx: x, cy: y, r: diameter, class: "ring added" })) circle.setAttribute(name, value);
  viewer.root.querySelector("svg.layer").append(circle);
}
