// The photo with its layers: zoom and pan, what is shown, and what a lesion is.
const LARGEST = 12;

export class Viewer {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector(".viewer__stage");
    this.plane = root.querySelector(".viewer__plane");
    this.tip = root.querySelector(".viewer__tip");
    this.lesions = [...root.querySelectorAll(".lesion")];
    this.width = Number(root.querySelector("img").getAttribute("width"));
    this.height = Number(root.querySelector("img").getAttribute("height"));
    this.face = root.dataset.face.split(" ").map(Number);
    this.hidden = new Set();
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.fit()).observe(this.stage);
  }

  listen() {
    const stage = this.stage;
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      stage.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    stage.addEventListener("dblclick", (event) => this.zoom(2, event.clientX, event.clientY));
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.root.addEventListener("click", (event) => this.click(event));
    const confidence = this.root.querySelector("#confidence");
    const kind = this.root.querySelector("#kind");
    confidence.addEventListener("input", () => this.filter());
    kind.addEventListener("change", () => this.filter());
    this.filter();
  }

  // The face box fills the stage; the whole photo can be seen by zooming out.
  fit() {
    const box = this.stage.getBoundingClientRect();
    const [x, y, w, h] = this.face;
    this.scale = Math.min(box.width / w, box.height / h);
    this.least = Math.min(box.width / this.width, box.height / this.height, this.scale);
    this.base = this.scale;
    this.x = box.width / 2 - (x + w / 2) * this.scale;
    this.y = box.height / 2 - (y + h / 2) * this.scale;
    this.draw();
  }

  draw() {
    const box = this.stage.getBoundingClientRect();
    this.x = keepIn(this.x, this.width * this.scale, box.width);
    this.y = keepIn(this.y, this.height * this.scale, box.height);
    this.plane.style.width = `${this.width * this.scale}px`;
    this.plane.style.transform = `translate(${this.x}px, ${this.y}px)`;
    this.stage.classList.toggle("is-zoomed", this.scale > this.base * 1.05);
  }

  zoom(factor, clientX, clientY) {
    const box = this.stage.getBoundingClientRect();
    const cx = (clientX ?? box.left + box.width / 2) - box.left;
    const cy = (clientY ?? box.top + box.height / 2) - box.top;
    const scale = Math.min(Math.max(this.scale * factor, this.least), this.base * LARGEST);
    this.x = cx - ((cx - this.x) * scale) / this.scale;
    this.y = cy - ((cy - this.y) * scale) / this.scale;
    this.scale = scale;
    this.draw();
  }

  show(id) {
    const lesion = this.lesions.find((one) => one.dataset.id === String(id));
    if (!lesion) return;
    const bounds = lesion.querySelector(".ring").getBBox();
    const box = this.stage.getBoundingClientRect();
    this.scale = Math.max(this.scale, this.base * 3);
    this.x = box.width / 2 - (bounds.x + bounds.width / 2) * this.scale;
    this.y = box.height / 2 - (bounds.y + bounds.height / 2) * this.scale;
    this.draw();
    this.choose(lesion);
  }

  choose(lesion) {
    for (const other of this.root.ownerDocument.querySelectorAll(".is-chosen")) other.classList.remove("is-chosen");
    this.tip.hidden = !lesion;
    if (!lesion) return;
    lesion.classList.add("is-chosen");
    document.getElementById(`lesion-${lesion.dataset.id}`)?.classList.add("is-chosen");
    this.tip.textContent = lesion.dataset.tip;
    this.root.dispatchEvent(new CustomEvent("lesion", { detail: lesion.dataset.id }));
  }

  press(event) {
    if (event.target.closest("button")) return;
    this.pointers.set(event.pointerId, event);
    this.moved = 0;
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter((other) => other.pointerId !== event.pointerId);
    if (others.length) {
      const apart = (one) => Math.hypot(one.clientX - others[0].clientX, one.clientY - others[0].clientY);
      const middle = [(event.clientX + others[0].clientX) / 2, (event.clientY + others[0].clientY) / 2];
      this.zoom(apart(event) / Math.max(apart(before), 1), ...middle);
    } else if (event.pointerType === "mouse" || this.scale > this.base * 1.05) {
      this.x += event.clientX - before.clientX;
      this.y += event.clientY - before.clientY;
      this.draw();
    }
    this.moved += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
    this.pointers.set(event.pointerId, event);
  }

  wheel(event) {
    if (!event.ctrlKey && this.scale <= this.base * 1.05) return; // the page scrolls
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }

  click(event) {
    const button = event.target.closest("button");
    if (button?.dataset.zoom) {
      if (button.dataset.zoom === "fit") this.fit();
      else this.zoom(button.dataset.zoom === "in" ? 1.6 : 1 / 1.6);
    } else if (button?.dataset.toggle) this.layer(button);
    else if (button?.dataset.groupToggle) this.group(button);
    else if (event.target.closest(".viewer__stage") && !(this.moved > 6)) this.tap(event);
  }

  // The nearest lesion within a finger's reach: small ones can hardly be hit.
  tap(event) {
    let best = null;
    let reach = 26;
    for (const lesion of this.lesions.filter((one) => !one.hasAttribute("hidden"))) {
      const box = lesion.getBoundingClientRect();
      const apart = Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
      const distance = apart - box.width / 2;
      if (distance < reach) [best, reach] = [lesion, distance];
    }
    this.choose(best);
  }

  layer(button) {
    const shown = press(button);
    for (const layer of this.root.querySelectorAll(`[data-layer="${button.dataset.toggle}"]`)) {
      if (layer.dataset.src && !layer.src) layer.src = layer.dataset.src;
      layer.toggleAttribute("hidden", !shown);
    }
  }

  group(button) {
    if (press(button)) this.hidden.delete(button.dataset.groupToggle);
    else this.hidden.add(button.dataset.groupToggle);
    this.filter();
  }

  filter() {
    const least = Number(this.root.querySelector("#confidence").value);
    const kind = this.root.querySelector("#kind").value;
    let shown = 0;
    for (const lesion of this.lesions) {
      const { group, score, kind: own } = lesion.dataset;
      const seen = !this.hidden.has(group) && Number(score) >= least && (!kind || kind === own);
      lesion.toggleAttribute("hidden", !seen);
      shown += seen ? 1 : 0;
    }
    const output = this.root.querySelector("output");
    output.textContent = output.dataset.all.replace("{shown}", shown).replace("{all}", this.lesions.length);
  }
}

function press(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(pressed));
  return pressed;
}

function keepIn(offset, size, room) {
  return size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, offset));
}

export const viewers = [...document.querySelectorAll("[data-viewer]")].map((root) => new Viewer(root));

for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    viewers[0].show(button.dataset.show);
    viewers[0].root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
}
