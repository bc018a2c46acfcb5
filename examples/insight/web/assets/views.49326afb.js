// Turns answers into elements. Codes and devices are other people's text: they only ever
// become text, never markup.

import { ROWS } from "./live.1b3b3e55.js";

const find = (id) => document.getElementById(id);

function make(name, className, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/** How far the server's clock is ahead of ours, in ms. */
let ahead = 0;

export function ago(at) {
  const seconds = Math.max(Math.round((Date.now() + ahead - at) / 1000), 0);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(at).toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
}

function time(at) {
  const node = make("time", "", ago(at));
  node.dateTime = new Date(at).toISOString();
  node.title = new Date(at).toLocaleString();
  node.dataset.at = at;
  return node;
}

/** "5 s ago" becomes "10 s ago" as time goes by. */
export function refreshTimes() {
  for (const node of document.querySelectorAll("time[data-at]")) {
    const text = ago(Number(node.dataset.at));
    if (node.textContent !== text) node.textContent = text;
  }
}

export function showWaiting() {
  const rows = Array.from({ length: 6 }, () => {
    const cells = ["code", "device", "time", "id"].map((name) => make("td", name));
    return make("tr", "waiting", ...cells);
  });
  find("recent").replaceChildren(...rows);
}

function row(scan) {
  const code = make("td", "code", scan.code);
  code.title = scan.code;
  const device = make("td", "device", make("span", "", scan.device));
  device.title = scan.device;
  const number = make("td", "id", scan.id.toLocaleString());
  return make("tr", "", code, device, make("td", "time", time(scan.at)), number);
}

export function showScans(scans, { replace, total }) {
  const body = find("recent");
  const rows = scans.map(row);
  if (replace) {
    body.replaceChildren(...rows);
  } else {
    for (const node of rows) node.classList.add("fresh");
    body.prepend(...rows);
    while (body.children.length > ROWS) body.lastElementChild.remove();
  }
  const shown = body.children.length;
  find("recent-empty").hidden = shown > 0;
  body.parentElement.hidden = shown === 0;
  find("recent-note").textContent = shown === 0 ? "" : `${shown} of ${total.toLocaleString()}`;
}

export function showStats(stats) {
  ahead = stats.now - Date.now();
  delete find("counters").dataset.loading;
  const [before, minute] = stats.per_minute.slice(-2);
  const figures = {
    minute: [minute, `${before.toLocaleString()} the minute before`],
    hour: [stats.last_hour, `${rate(stats.last_hour / 60)} a minute`],
    day: [stats.last_day, plural(stats.codes, "different code")],
    total: [stats.total, latest(stats.devices)],
  };
  for (const [name, [count, note]] of Object.entries(figures)) {
    find(`count-${name}`).textContent = count.toLocaleString();
    find(`note-${name}`).replaceChildren(note);
  }
  rank("codes", stats.top_codes, (entry) => [entry.code, entry.count]);
  rank("devices", stats.devices, (entry) => [entry.device, entry.count, entry.last]);
}

function rate(perMinute) {
  return perMinute.toLocaleString([], { maximumFractionDigits: 1 });
}

function latest(devices) {
  const last = Math.max(0, ...devices.map((entry) => entry.last));
  return last ? make("span", "", "the latest ", time(last)) : "none in the last 24 hours";
}

function rank(id, entries, read) {
  const most = Math.max(1, ...entries.map((entry) => entry.count));
  const items = entries.map((entry) => {
    const [name, count, last] = read(entry);
    const label = make("span", "name", name);
    label.title = name;
    const value = make("span", "value");
    if (last) value.append(make("span", "", time(last)));
    value.append(count.toLocaleString());
    const fill = make("i");
    fill.style.width = `${(100 * count) / most}%`;
    return make("li", "", label, value, make("div", "meter", fill));
  });
  if (items.length === 0) items.push(make("li", "none", "Nothing in this time"));
  find(id).replaceChildren(...items);
}
