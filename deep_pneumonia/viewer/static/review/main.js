// The Review screen: joins the work list, its statistics and the review of a case to the server and
// the viewer.

import { hear, part, viewerReady } from "../page.js";
import { routeOf } from "../route.js";
import { WORK_LIST_TOKEN, readTab, writeTab } from "../storage.js";
import { CompactList } from "./compact.js";
import { Overview } from "./overview.js";
import { Saving } from "./saving.js";
import { VerdictPanel } from "./verdict.js";

/** @import { Scene } from "../types.js" */
/** @import { Viewer } from "../viewer.js" */
/** @import { ReviewServer, SentVerdict } from "./types.js" */

/** @param {HTMLElement} root of the list @param {ReviewServer} server */
export async function mount(root, server) {
  const token = tokenOfTab();
  const ask = (/** @type {Record<string, any>} */ request) => server.ask({ ...request, token });
  const viewer = await viewerReady;
  const review = new Review(root, { ...server, ask }, viewer);
  viewer.review = {
    ask,
    rows: () => review.overview.list.rows,
    opening: () => ({ token, id: review.asked }),
    wanted: () => ({ token, ...review.overview.wanted }),
    taken: (file, why) => review.overview.downloaded(file, why),
    refused: (id) => review.refused(id),
  };
  addEventListener("hashchange", () => review.route());
  hear("shown", (scene) => review.shown(scene));
  hear("drawn", (scene) => {
    if (scene?.work) review.saving.changed(scene);
  });
  review.route();
}

/** The token that opens this tab's own workspace; other pages cannot guess it. */
function tokenOfTab() {
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
  const token = readTab(WORK_LIST_TOKEN) ?? bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  writeTab(WORK_LIST_TOKEN, token);
  return token;
}

class Review {
  /** @type {number | undefined} the case that the server is asked to open */
  asked;

  /** @param {HTMLElement} root @param {ReviewServer} server @param {Viewer} viewer */
  constructor(root, server, viewer) {
    this.server = server;
    this.viewer = viewer;
    const go = (/** @type {number} */ id) => {
      this.#ask(id);
      location.hash = `#case=${id}`;
    };
    this.overview = new Overview(root, server, viewer.stage.look.scores, { go, changed: () => this.#listed() });
    this.compact = new CompactList(part("#case-list"), { thumbnail: (row) => this.overview.thumbnail(row), open: go });
    this.panel = new VerdictPanel(part("#case-verdict"), {
      judge: (verdict) => this.#judge(verdict), go, list: this.overview.list, place: () => this.overview.name,
      coming: (judged) => this.#coming(judged), changed: () => this.#named(),
    });
    this.overview.list.setReviewer(this.panel.reviewer);
    viewer.keys("case", this.panel.keys());
    this.saving = new Saving(server.ask, {
      stage: viewer.stage,
      author: () => this.panel.reviewer,
      amend: (scene, change) => viewer.amend(scene, change),
      saved: (row) => this.overview.update([row]),
      say: (...parts) => viewer.say(...parts),
      reopen: (id) => this.#open(id),
    });
  }

  /** Open the case in the address; without one, the case on the stage or the first of the list. */
  async route() {
    const { screen, argument } = routeOf(location.hash);
    if (screen !== "review" && screen !== "case") return;
    await this.overview.load();
    if (screen === "review") return;
    const open = this.viewer.stage.scene?.work?.id;
    const id = Number(argument) || open || this.overview.list.shown[0]?.id;
    if (!this.overview.list.row(id)) location.hash = "#review";
    else if (id !== open || id !== this.asked) this.#open(id);
    else this.#follow();
  }

  /** @param {number} id */
  #open(id) {
    this.#ask(id);
    this.server.open();
  }

  /** From now until the case is on the stage, no verdict is taken. @param {number} id */
  #ask(id) {
    this.asked = id;
    this.compact.select(id);
    this.panel.wait();
  }

  /**
   * The name of the case that is being opened, until the stage and the panel both have it; then "".
   * @param {number | undefined} judged the case of the panel
   */
  #coming(judged) {
    const open = this.viewer.stage.scene?.work?.id;
    const isThere = open === this.asked && (judged === undefined || judged === open);
    return isThere ? "" : this.overview.list.row(this.asked)?.name ?? "The case";
  }

  /** The server could not open a case, and has said why: the one on the stage stays. @param {number} id */
  refused(id) {
    const open = this.viewer.stage.scene?.work?.id;
    if (id !== this.asked || open === undefined) return;
    this.asked = open;
    history.replaceState(null, "", `#case=${open}`);
    this.#follow();
  }

  /** @param {Scene} scene that came on the stage */
  shown(scene) {
    part("#screens").toggleAttribute("data-work", Boolean(scene.work));
    if (!scene.work) return;
    /** @type {HTMLAnchorElement} */ (part("#work-back")).href = `#case=${scene.work.id}`;
    this.asked ??= scene.work.id;
    this.saving.opened(scene);
    this.#follow();
    this.overview.load().then(() => this.#follow());
  }

  /** The list beside the case has the same cases in the same order as the work list. */
  #listed() {
    if (!this.compact || !this.panel) return; // the work list shows its rows before the panels are there
    this.compact.load(this.overview.list.shown, this.panel.reviewer);
    this.#follow();
  }

  #named() {
    this.overview.list.setReviewer(this.panel.reviewer);
    this.overview.list.refresh();
  }

  /** The list and the panel show the case on the stage. */
  #follow() {
    const row = this.overview.list.row(this.viewer.stage.scene?.work?.id);
    if (!row) return;
    this.compact.select(row.id);
    this.panel.show(row);
  }

  /** @param {SentVerdict} verdict */
  async #judge(verdict) {
    const answer = await this.server.ask({ what: "judge", ...verdict });
    if (answer.row) this.overview.update([answer.row]);
    return answer;
  }
}
