// What the live picture says about the photo to come. Pure: pixels in, judgements out.
// Skin is told by chrominance, whose range holds for light and dark skin alike (Chai and Ngan 1999: Cb 77-127, Cr 133-173).
export const SIZE = { width: 96, height: 128 };
const OVAL = { cx: 0.5, cy: 0.49, rx: 0.327, ry: 0.34 };
const LIMITS = { skin: 0.55, dark: 70, bright: 225, sides: 1.45, motion: 5 };

export function measure(pixels, before) {
  const seen = { inside: 0, skin: 0, light: 0, left: 0, right: 0, lefts: 0, rights: 0, motion: 0 };
  for (let y = 0; y < SIZE.height; y += 1) {
    for (let x = 0; x < SIZE.width; x += 1) {
      const dx = (x / SIZE.width - OVAL.cx) / OVAL.rx;
      const dy = (y / SIZE.height - OVAL.cy) / OVAL.ry;
      if (dx * dx + dy * dy > 1) continue;
      const at = 4 * (y * SIZE.width + x);
      add(seen, pixels, before, at, dx);
    }
  }
  return {
    skin: seen.skin / seen.inside,
    light: seen.light / seen.inside,
    sides: ratio(seen.left / seen.lefts, seen.right / seen.rights),
    motion: before ? seen.motion / seen.inside : Infinity,
  };
}

function add(seen, pixels, before, at, dx) {
  const [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]];
  const luma = 0.299 * r + 0.587 * g + 0.114 * b;
  const cb = 128 + 0.564 * (b - luma);
  const cr = 128 + 0.713 * (r - luma);
  seen.inside += 1;
  seen.light += luma;
  if (cb > 77 && cb < 127 && cr > 133 && cr < 173) seen.skin += 1;
  if (dx < 0) [seen.left, seen.lefts] = [seen.left + luma, seen.lefts + 1];
  else [seen.right, seen.rights] = [seen.right + luma, seen.rights + 1];
  if (before) seen.motion += Math.abs(luma - (0.299 * before[at] + 0.587 * before[at + 1] + 0.114 * before[at + 2]));
}

function ratio(one, two) {
  return Math.max(one, two) / Math.max(Math.min(one, two), 1);
}

// The first thing to mend, and which of the four lamps are green; `pose` is the server's word, null where it has none.
export function judge({ skin, light, sides, motion }, front, pose) {
  const lamps = {
    distance: skin >= LIMITS.skin,
    light: light >= LIMITS.dark && light <= LIMITS.bright && (!front || sides <= LIMITS.sides),
    steady: motion <= LIMITS.motion,
    pose: pose === "ready",
  };
  const rules = [
    [skin < LIMITS.skin / 3, "place"],
    [!lamps.distance, "closer"],
    [light < LIMITS.dark, "brighter"],
    [light > LIMITS.bright, "darker"],
    [front && sides > LIMITS.sides, "even"],
    [pose && pose !== "ready" && pose !== "unsure", pose],
    [!lamps.steady, "still"],
  ];
  return { lamps, advice: rules.find(([holds]) => holds)?.[1] ?? "ready" };
}
