// Keeps the page up to date: asks for new scans every two seconds, while somebody looks.
// A page that is hidden, or that nobody has touched for a while, asks nothing, so that
// Insight itself can go to sleep.

const POLL_MS = 2000;
const STATS_MS = 15000; // counts move with the clock even when nothing is scanned
const UNATTENDED_MS = 10 * 60 * 1000; // without a new scan or a hand on the page
const LONGEST_RETRY_MS = 30000;
const REQUEST_MS = 15000;
export const ROWS = 50;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.error ?? `the server answered ${status}`);
    this.status = status;
    this.field = problem.field;
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(REQUEST_MS) });
  const text = await response.text();
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    if (response.ok) throw new Error("the answer is not JSON");
  }
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

export function record(code, device) {
  const body = JSON.stringify(device ? { code, device } : { code });
  const headers = { "Content-Type": "application/json" };
  return ask("/api/scans", { method: "POST", headers, body });
}

/** Calls `on.scans(scans, {replace, total})`, `on.stats(stats)` and `on.state(name, detail)`. */
export class Live {
  #on;
  #timer = 0;
  #running = false; // a poll is under way
  #again = false; // and another one is wanted right after it
  #last = null; // the highest id we have; null before the first answer
  #statsAt = 0;
  #failures = 0;
  #attendedAt = Date.now();
  #paused = false;

  constructor(on) {
    this.#on = on;
    document.addEventListener("visibilitychange", () => this.#seen());
    addEventListener("online", () => this.now());
    for (const sign of ["pointermove", "pointerdown", "keydown", "scroll"]) {
      addEventListener(sign, () => this.#attended(), { passive: true });
    }
  }

  /** Asks now, whatever the plan was; a hidden page asks as soon as it is seen. */
  now() {
    if (document.hidden) return;
    this.#attendedAt = Date.now();
    this.#paused = false;
    if (this.#running) this.#again = true;
    else this.#poll();
  }

  #seen() {
    if (document.hidden) clearTimeout(this.#timer);
    else this.now();
  }

  #attended() {
    this.#attendedAt = Date.now();
    if (this.#paused) this.now();
  }

  async #poll() {
    clearTimeout(this.#timer);
    this.#running = true;
    try {
      await this.#fetch();
      this.#failures = 0;
      this.#on.state("live");
      this.#plan(POLL_MS);
    } catch (error) {
      this.#failures += 1;
      const wait = Math.min(POLL_MS * 2 ** (this.#failures - 1), LONGEST_RETRY_MS);
      this.#on.state("offline", { error, wait });
      this.#plan(wait);
    } finally {
      this.#running = false;
    }
    if (this.#again) {
      this.#again = false;
      this.#poll();
    }
  }

  #plan(wait) {
    if (document.hidden) return;
    if (Date.now() - this.#attendedAt > UNATTENDED_MS) {
      this.#paused = true;
      this.#on.state("paused");
      return;
    }
    this.#timer = setTimeout(() => this.#poll(), wait);
  }

  async #fetch() {
    let replace = this.#last === null;
    let news = await ask(`/api/scans?limit=${ROWS}&after=${this.#last ?? 0}`);
    if (news.total < this.#last) { // the data was set back, by a restored copy for instance
      replace = true;
      news = await ask(`/api/scans?limit=${ROWS}`);
    }
    this.#last = news.total;
    const changed = replace || news.scans.length > 0;
    if (changed) {
      this.#attendedAt = Date.now();
      this.#on.scans(news.scans, { replace, total: news.total });
    }
    if (changed || Date.now() - this.#statsAt >= STATS_MS) {
      this.#on.stats(await ask("/api/stats"));
      this.#statsAt = Date.now();
    }
  }
}
