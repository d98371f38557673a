// The live camera: asked for once a visit, let go when it is hidden; only the preview is mirrored.
import { SIZE, judge, measure } from "./guide.js";

const WANTED = { video: { facingMode: "user", width: { ideal: 2560 }, height: { ideal: 1920 } }, audio: false };
const LEAST_PX = 1080; // of the shorter side: below it small lesions have too few pixels
const EVERY_MS = 250;
const POSE = { width: 288, height: 384 }; // what the server looks at, once a second, and does not keep
const POSE_MS = 1000;

export class Camera {
  constructor(root, texts, took) {
    this.root = root;
    this.texts = texts;
    this.took = took;
    this.video = root.querySelector("video");
    this.frame = root.querySelector(".camera");
    this.ghost = root.querySelector(".camera__ghost");
    this.guide = root.querySelector("#guide");
    this.canvas = new OffscreenCanvas(SIZE.width, SIZE.height).getContext("2d", { willReadFrequently: true });
    this.side = "front";
    this.pose = null;
    this.asked = 0;
    root.querySelector("#shutter").addEventListener("click", () => this.take());
    root.querySelector("#camera-close").addEventListener("click", () => this.close());
    root.querySelector("#ghost-on").addEventListener("change", (event) => this.showGhost(event.target.checked));
    for (const button of root.querySelectorAll("[data-side]")) {
      button.addEventListener("click", () => this.turn(button.dataset.side));
    }
    document.addEventListener("visibilitychange", () => document.hidden && this.close());
  }

  static get there() {
    return Boolean(navigator.mediaDevices?.getUserMedia); // undefined on plain http beyond this computer
  }

  async open() {
    this.root.hidden = false;
    this.root.scrollIntoView({ block: "start" });
    try {
      this.stream ??= await navigator.mediaDevices.getUserMedia(WANTED);
    } catch (error) {
      this.guide.textContent = this.texts[error.name === "NotAllowedError" ? "guide.denied" : "guide.absent"];
      return false;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    const { width, height } = this.stream.getVideoTracks()[0].getSettings();
    this.small = Math.min(width, height) < LEAST_PX;
    this.showGhost(true);
    this.timer = setInterval(() => this.look(), EVERY_MS);
    return true;
  }

  close() {
    clearInterval(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.root.hidden = true;
  }

  showGhost(wanted) {
    const source = this.root.getAttribute(`data-ghost-${this.side}`); // the last photo of this side
    this.ghost.hidden = !wanted || !source;
    if (source && this.ghost.getAttribute("src") !== source) this.ghost.src = source;
  }

  turn(side) {
    this.side = side;
    this.pose = null;
    for (const button of this.root.querySelectorAll("[data-side]")) {
      button.setAttribute("aria-pressed", String(button.dataset.side === side));
    }
    this.showGhost(this.root.querySelector("#ghost-on").checked);
  }

  look() {
    const pixels = this.picture(this.canvas, SIZE);
    const { lamps, advice } = judge(measure(pixels, this.before), this.side === "front", this.pose);
    this.before = pixels;
    for (const [name, ok] of Object.entries(lamps)) {
      this.root.querySelector(`[data-light="${name}"]`).classList.toggle("is-ok", ok);
    }
    this.frame.classList.toggle("is-ready", advice === "ready");
    const text = this.texts[`guide.${advice === "ready" && this.small ? "small" : advice}`];
    if (this.guide.textContent !== text) this.guide.textContent = text;
    if (lamps.distance) this.askForPose();
  }

  // Only this server is asked, at most once a second, and only while there is a face to ask about.
  async askForPose() {
    const wanted = this.root.querySelector("#pose-on").checked;
    if (!wanted) this.pose = null;
    if (!wanted || performance.now() - this.asked < POSE_MS) return;
    this.asked = performance.now();
    const { side } = this;
    const canvas = new OffscreenCanvas(POSE.width, POSE.height);
    this.picture(canvas.getContext("2d"), POSE);
    const body = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
    try {
      const answer = await fetch(`/capture/pose?side=${side}`, { method: "POST", headers: { "Content-Type": "image/jpeg" }, body });
      const { pose } = answer.ok ? await answer.json() : {};
      if (side === this.side && pose !== null) this.pose = pose ?? null;
    } catch {
      this.pose = null; // no connection: the pose is not judged, and the photo can be taken all the same
    }
  }

  // The part of the video that the preview shows, at a size.
  picture(context, { width, height }) {
    const { videoWidth: w, videoHeight: h } = this.video;
    const wide = Math.min(w, (h * width) / height);
    const high = (wide * height) / width;
    context.drawImage(this.video, (w - wide) / 2, (h - high) / 2, wide, high, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  }

  async take() {
    if (!this.stream) return;
    const { videoWidth: w, videoHeight: h } = this.video;
    const wide = Math.round(Math.min(w, (h * 3) / 4));
    const size = { width: wide, height: Math.round((wide * 4) / 3) };
    const canvas = new OffscreenCanvas(size.width, size.height);
    this.picture(canvas.getContext("2d"), size);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
    this.took(new File([blob], `${this.side}.jpg`, { type: "image/jpeg" }), this.side);
  }
}
