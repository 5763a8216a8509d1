// The Review screen: joins the work list, its statistics and the review of a case to the server and to the viewer.

import { CompactList } from "./compact.js";
import { VerdictPanel } from "./verdict.js";
import { Saving } from "./saving.js";
import { Desk } from "./desk.js";
import { plain, keep } from "../store.js";
import { routeOf } from "../route.js";

const TOKEN = "deep-pneumonia/desk";

/**
 * @param {HTMLElement} root of the list
 * @param {{ask: (request: object) => Promise<object>, upload: (file: File) => Promise<{path: string}>,
 *   open: () => void, download: () => void, file: (path: string) => string}} server
 */
export async function mount(root, server) {
  const token = tokenOf();
  const ask = (request) => server.ask({ ...request, token });
  const viewer = await ready();
  const review = new Review(root, { ...server, ask }, viewer);
  viewer.review = {
    ask,
    rows: () => review.list.rows,
    opening: () => ({ token, id: review.asked }),
    wanted: () => ({ token, ...review.desk.wanted }),
    taken: (file, why) => review.desk.taken(file, why),
  };
  addEventListener("hashchange", () => review.route());
  document.addEventListener("deep-pneumonia:shown", ({ detail }) => review.shown(detail));
  document.addEventListener("deep-pneumonia:drawn", ({ detail }) => detail?.work && review.saving.changed(detail));
  review.route();
}

/** The page's own workspace goes by this; another page cannot guess it. */
function tokenOf() {
  const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
  try {
    const kept = sessionStorage.getItem(TOKEN) ?? made;
    sessionStorage.setItem(TOKEN, kept);
    return kept;
  } catch {
    return made;
  }
}

/** The viewer is mounted by another element of the page. */
async function ready() {
  while (!window.deepPneumonia?.stage) await new Promise((done) => setTimeout(done, 20));
  return window.deepPneumonia;
}

class Review {
  constructor(root, server, viewer) {
    [this.server, this.viewer] = [server, viewer];
    const go = (id) => (location.hash = `#case=${id}`);
    this.desk = new Desk(root, server, { go, changed: () => this.#listed() });
    this.list = this.desk.list;
    this.compact = new CompactList(document.querySelector("#case-list"), { thumbnail: (row) => this.desk.thumbnail(row), open: go });
    this.panel = new VerdictPanel(document.querySelector("#case-verdict"), {
      judge: (verdict) => this.#judge(verdict), go, list: this.list, place: () => this.desk.name, changed: () => this.#named(),
    });
    this.list.reviewer = this.panel.reviewer;
    viewer.keys("case", this.panel.keys());
    this.saving = new Saving(server.ask, {
      stage: viewer.stage, plain, keep, say: viewer.say,
      author: () => this.panel.reviewer,
      kept: (row) => this.desk.update([row]),
      reopen: (id) => this.#open(id),
    });
  }

  /** The address says which case is reviewed; without one it is the one on the stage, or the list's first. */
  async route() {
    const { screen, argument } = routeOf(location.hash);
    if (screen !== "review" && screen !== "case") return;
    await this.desk.load();
    if (screen === "review") return;
    const open = this.viewer.stage.scene?.work?.id;
    const id = Number(argument) || open || this.list.shown[0];
    if (!this.list.row(id)) location.hash = "#review";
    else if (id !== open) this.#open(id);
    else this.#follow();
  }

  #open(id) {
    this.asked = id;
    this.compact.current = id;
    this.server.open();
  }

  shown(scene) {
    document.querySelector("#screens").toggleAttribute("data-work", Boolean(scene.work));
    if (!scene.work) return;
    document.querySelector("#work-back").href = `#case=${scene.work.id}`;
    this.saving.opened(scene);
    this.desk.load().then(() => this.#follow());
  }

  /** The list beside the case follows the one that is filtered and sorted. */
  #listed() {
    if (!this.compact) return; // the first list comes before the panels
    this.compact.load(this.list.shown.map((id) => this.list.row(id)), this.panel.reviewer);
    this.#follow();
  }

  #named() {
    this.list.reviewer = this.panel.reviewer;
    this.list.refresh();
  }

  #follow() {
    const id = this.viewer.stage.scene?.work?.id;
    const row = this.list.row(id);
    if (!row) return;
    this.compact.current = id;
    this.panel.show(row);
  }

  /** Keep a verdict; the answer is what the panel says. */
  async #judge(verdict) {
    const answer = await this.server.ask({ what: "judge", ...verdict });
    if (answer.row) this.desk.update([answer.row]);
    return answer;
  }
}
