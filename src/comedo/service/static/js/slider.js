// Before and after: a native range moves the border, three buttons do it without dragging.
for (const root of document.querySelectorAll("[data-slider]")) {
  const range = root.querySelector("input[type=range]");
  if (!range) continue;
  const move = () => {
    root.style.setProperty("--split", `${range.value}%`);
    range.setAttribute("aria-valuetext", range.dataset.text.replace("{n}", range.value));
  };
  range.addEventListener("input", move);
  for (const button of root.querySelectorAll("[data-split]")) {
    button.addEventListener("click", () => {
      range.value = button.dataset.split;
      move();
    });
  }
  const rings = root.querySelector("#rings");
  rings.addEventListener("change", () => root.classList.toggle("no-rings", !rings.checked));
  move();
}
