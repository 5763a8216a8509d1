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
    opening: () => ({ token, id: review.asked }),
    wanted: () => ({ token, ...review.desk.wanted }),
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
    this.desk = new Desk(root, server, { go, changed: () => this.#follow() });
    this.list = this.desk.list;
    this.compact = new CompactList(document.querySelector("#case-list"), { thumbnail: (row) => this.desk.thumbnail(row), open: go });
    this.panel = new VerdictPanel(document.querySelector("#case-verdict"), { judge: (verdict) => this.#judge(verdict), go, list: this.list });
    this.saving = new Saving(server.ask, {
      stage: viewer.stage, plain, keep, say: viewer.say,
      author: () => this.panel.reviewer,
      kept: (row) => this.desk.update([row]),
      reopen: (id) => this.#open(id),
    });
  }

  /** The address says which case is reviewed; without one it is the list's first that is not reviewed. */
  async route() {
    const { screen, argument } = routeOf(location.hash);
    if (screen !== "review" && screen !== "case") return;
    await this.desk.load();
    if (screen === "review") return;
    const id = Number(argument) || this.viewer.stage.scene?.work?.id || this.list.shown[0];
    if (!id) return void (location.hash = "#review");
    if (this.viewer.stage.scene?.work?.id === id) this.#follow();
    else this.#open(id);
  }

  #open(id) {
    this.asked = id;
    this.compact.current = id;
    this.server.open();
  }

  shown(scene) {
    document.querySelector("#screens").toggleAttribute("data-work", Boolean(scene.work));
    if (!scene.work) return;
    this.saving.opened(scene);
    this.#follow();
  }

  /** The panel and the list beside the case follow the rows. */
  #follow() {
    const id = this.viewer.stage.scene?.work?.id;
    this.compact.load(this.list.shown.map((shown) => this.list.row(shown)), this.panel.reviewer);
    this.compact.current = id;
    const row = this.list.row(id);
    if (row) this.panel.show(row);
  }

  /** Keep a verdict; the answer is what the panel says. */
  async #judge({ id, reviewer, verdict, comment, version }) {
    const answer = await this.server.ask({ what: "judge", id, reviewer, verdict, comment, version });
    if (answer.row) this.desk.update([answer.row]);
    return answer;
  }
}
