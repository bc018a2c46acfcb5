// A bar chart in SVG: one bar for each span of time, the last of which is still running.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 34;
const BOTTOM = 22;
const TOP = 10;

function element(name, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

/** Steps of a scale from 0 to at least `highest`, in round whole numbers. */
export function ticks(highest) {
  const rough = Math.max(highest, 4) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10]
    .map((factor) => factor * power)
    .find((size) => size >= rough && Number.isInteger(size));
  const count = Math.ceil(Math.max(highest, 4) / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

export class Chart {
  #box;
  #tip = document.createElement("div");
  #data = null;

  constructor(box) {
    this.#box = box;
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    box.addEventListener("pointerleave", () => { this.#tip.hidden = true; });
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  /** `counts`, oldest first, in spans of `span` ms of which the last one holds `now`. */
  show({ counts, span, now, unit }) {
    this.#data = { counts, span, unit, start: (Math.floor(now / span) - counts.length + 1) * span };
    delete this.#box.dataset.loading;
    this.#draw();
  }

  #draw() {
    if (!this.#data) return;
    const style = getComputedStyle(this.#box);
    const padding = (...sides) =>
      sides.reduce((sum, side) => sum + parseFloat(style[`padding${side}`]), 0);
    const width = this.#box.clientWidth - padding("Left", "Right");
    const height = this.#box.clientHeight - padding("Top", "Bottom");
    if (width < 80) return;
    const { counts, unit } = this.#data;
    const sum = counts.reduce((total, count) => total + count, 0);
    const svg = element("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": `Scans per ${unit}: ${sum} in all, ${Math.max(...counts)} at most`,
    });
    const scale = ticks(Math.max(...counts));
    const place = { width, height, top: scale.at(-1), slot: (width - LEFT) / counts.length };
    this.#drawGrid(svg, scale, place);
    counts.forEach((count, index) => svg.append(this.#bar(count, index, place)));
    this.#drawTimes(svg, place);
    if (sum === 0) {
      const [x, y] = [(width + LEFT) / 2, this.#y(scale.at(-1) * 0.625, place) + 4];
      const middle = { x, y, "text-anchor": "middle", class: "nothing" };
      svg.append(element("text", middle, "Nothing was scanned in this time"));
    }
    this.#tip.hidden = true;
    this.#box.replaceChildren(svg, this.#tip);
  }

  #drawGrid(svg, scale, place) {
    for (const value of scale) {
      const y = Math.round(this.#y(value, place)) + 0.5;
      svg.append(
        element("line", { class: "grid", x1: LEFT, x2: place.width, y1: y, y2: y }),
        element("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, value.toLocaleString()),
      );
    }
  }

  #bar(count, index, place) {
    const group = element("g");
    const x = LEFT + index * place.slot;
    const gap = Math.min(Math.max(place.slot * 0.24, 1), 8);
    const bottom = place.height - BOTTOM;
    const slot = { class: "slot", x, y: TOP, width: place.slot, height: bottom - TOP };
    group.append(element("rect", slot));
    if (count > 0) {
      const tall = Math.max(bottom - this.#y(count, place), 2);
      const wide = Math.max(place.slot - gap, 1);
      group.append(element("rect", {
        class: index === this.#data.counts.length - 1 ? "bar running" : "bar",
        x: x + gap / 2, y: bottom - tall, width: wide, height: tall, rx: Math.min(wide / 3, 3),
      }));
    }
    const middle = x + place.slot / 2;
    group.addEventListener("pointerenter", () => this.#showTip(count, index, middle, place));
    return group;
  }

  #drawTimes(svg, place) {
    const { counts, span } = this.#data;
    const step = this.#every(place);
    counts.forEach((_, index) => {
      const time = new Date(this.#data.start + index * span);
      const number = span < 3600e3 ? time.getMinutes() : time.getHours();
      const x = LEFT + (index + 0.5) * place.slot;
      if (number % step || x > place.width - 14) return;
      svg.append(element("text", { x, y: place.height - 5, "text-anchor": "middle" }, clock(time)));
    });
  }

  /** Every how many minutes or hours there is room for a label. */
  #every(place) {
    const steps = this.#data.span < 3600e3 ? [5, 10, 15, 30] : [2, 3, 6, 12];
    return steps.find((step) => step * place.slot >= 58) ?? steps.at(-1);
  }

  #showTip(count, index, x, place) {
    const { start, span } = this.#data;
    const from = new Date(start + index * span);
    const to = new Date(+from + span);
    const times = span < 3600e3 ? clock(from) : `${clock(from)} to ${clock(to)}`;
    const number = document.createElement("strong");
    number.textContent = `${count.toLocaleString()} ${count === 1 ? "scan" : "scans"}`;
    this.#tip.replaceChildren(number, ` · ${times}`);
    this.#tip.hidden = false;
    const half = this.#tip.offsetWidth / 2;
    const left = Math.min(Math.max(x + 12, half + 4), this.#box.clientWidth - half - 4);
    this.#tip.style.left = `${left}px`;
    this.#tip.style.top = `${Math.max(this.#y(count, place) + 2, 30)}px`;
  }

  #y(value, place) {
    const bottom = place.height - BOTTOM;
    return bottom - (value / place.top) * (bottom - TOP);
  }
}

function clock(time) {
  return time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}
