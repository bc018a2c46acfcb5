// The page: wires the form, the live data, the chart and the theme together.

import { Chart } from "./chart.340b32be.js";
import { Live, Refused, record } from "./live.1b3b3e55.js";
import { refreshTimes, showScans, showStats, showWaiting } from "./views.49326afb.js";

const TIMES_MS = 5000;
const find = (id) => document.getElementById(id);

// Preferences live in this browser only; without storage they last as long as the page.
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch { /* no storage here */ }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function setUpTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = recall("insight.theme");
    if (chosen) root.dataset.theme = chosen;
    root.dataset.shade = chosen ?? (system.matches ? "dark" : "light");
  };
  system.addEventListener("change", apply);
  find("theme").addEventListener("click", () => {
    const next = root.dataset.shade === "dark" ? "light" : "dark";
    remember("insight.theme", next);
    root.dataset.theme = root.dataset.shade = next;
  });
  apply();
}

function setUpChart() {
  const chart = new Chart(find("chart"));
  const buttons = [...document.querySelectorAll("[data-span]")];
  let shown = "minute";
  let stats = null;
  const draw = () => {
    if (!stats) return;
    const span = shown === "minute" ? 60e3 : 3600e3;
    chart.show({ counts: stats[`per_${shown}`], span, now: stats.now, unit: shown });
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      shown = button.dataset.span;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      find("chart-title").textContent = `Scans per ${shown}`;
      draw();
    });
  }
  return (latest) => { stats = latest; draw(); };
}

function showState(state, detail = {}) {
  const names = { live: "Live", paused: "Paused, resume", offline: "Offline" };
  find("status").dataset.state = state;
  find("status").disabled = state === "live";
  const text = find("status-text");
  if (text.textContent !== names[state]) text.textContent = names[state]; // it is read aloud
  find("problem").hidden = state !== "offline";
  if (state !== "offline") return;
  const answered = detail.error instanceof Refused;
  find("problem-title").textContent =
    answered ? "Insight cannot answer right now." : "No connection to Insight.";
  find("problem-text").textContent =
    `What you see may be out of date. Next try in ${Math.round(detail.wait / 1000)} seconds.`;
}

function tell(kind, text) {
  const outcome = find("outcome");
  outcome.dataset.kind = kind;
  outcome.textContent = text;
}

function explain(error) {
  if (!(error instanceof Refused)) return "Not recorded: no connection. Press Enter to try again.";
  const subject = { code: "The code ", device: "The device " }[error.field] ?? "Not recorded: ";
  return `${subject}${error.message}.`;
}

function setUpForm(live) {
  const [code, device] = [find("code"), find("device")];
  const button = document.querySelector("#form .primary");
  device.value = recall("insight.device") ?? "";
  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    code.removeAttribute("aria-invalid");
    device.removeAttribute("aria-invalid");
    button.disabled = true;
    try {
      const scan = await record(code.value, device.value.trim());
      remember("insight.device", device.value.trim());
      tell("done", `Recorded ${scan.code} as no. ${scan.id.toLocaleString()}.`);
      code.value = "";
      live.now();
    } catch (error) {
      tell("refused", explain(error));
      (error.field === "device" ? device : code).setAttribute("aria-invalid", "true");
      code.select();
    } finally {
      button.disabled = false;
      if (document.activeElement !== device) code.focus();
    }
  });
  if (matchMedia("(hover: hover)").matches) code.focus(); // no keyboard popping up on a phone
}

function start() {
  setUpTheme();
  showWaiting();
  const showChart = setUpChart();
  const live = new Live({
    scans: showScans,
    stats: (stats) => { showStats(stats); showChart(stats); },
    state: showState,
  });
  setUpForm(live);
  find("retry").addEventListener("click", () => live.now());
  find("status").addEventListener("click", () => live.now());
  setInterval(() => { if (!document.hidden) refreshTimes(); }, TIMES_MS);
  live.now();
}

start();
