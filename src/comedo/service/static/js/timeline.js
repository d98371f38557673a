// The clinician steps through the visits: by a native range, or by pointing at the charts, which mark the same visit.
const root = document.querySelector("[data-timeline]");
if (root) {
  const range = root.querySelector("input");
  const moments = [...root.querySelectorAll(".moment")];
  const dots = [...document.querySelectorAll(".chart [data-when]")];

  const show = (index) => {
    const here = moments[index];
    range.value = index;
    range.setAttribute("aria-valuetext", here.querySelector("span").innerText);
    for (const moment of moments) moment.classList.toggle("is-here", moment === here);
    for (const dot of dots) dot.classList.toggle("is-here", dot.dataset.when === here.dataset.when);
  };

  const nearest = (chart, x) => {
    const apart = (dot) => Math.abs(dot.getBoundingClientRect().x - x);
    const mine = dots.filter((dot) => chart.contains(dot));
    if (!mine.length) return -1;
    const best = mine.reduce((one, two) => (apart(two) < apart(one) ? two : one));
    return moments.findIndex((moment) => moment.dataset.when === best.dataset.when);
  };

  range.addEventListener("input", () => show(Number(range.value)));
  for (const chart of document.querySelectorAll(".chart")) {
    chart.addEventListener("pointermove", (event) => {
      const index = nearest(chart, event.clientX);
      if (index >= 0) show(index);
    });
  }
  show(moments.length - 1);
}
