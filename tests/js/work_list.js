// Rows of a work list for tests, as deep_pneumonia/worklist/rows.py describes them.

export const CLASSES = ["Normal", "Opacity", "No opacity"];

/** A case that is predicted as Opacity. readers drew, `normal` read as normal; verdicts: {reviewer: verdict or [verdict, comment]}. */
export function row(id, { readers = [], normal = [], verdicts = {}, ...changes }) {
  const agreement = [
    ...readers.map((reader) => ({ reader, kind: "pixel", hit: true, iou: 0.5, dice: 0.6 })),
    ...normal.map((reader) => ({ reader, kind: "normal", hit: null, iou: null, dice: null })),
  ];
  const given = Object.entries(verdicts).map(([name, said]) => {
    const [verdict, comment] = Array.isArray(said) ? said : [said, ""];
    return [name, { verdict, comment, time: "2026-11-25T10:00:00Z", version: 1 }];
  });
  return {
    id, key: String(id).padStart(64, "0"), name: `chest-${id}.png`, source: "own", patient: `p${id}`, split: "", label: "",
    predicted: "Opacity", probability: 0.8, evidence: 0.9, warnings: [], problem: "", agreement,
    iou: readers.length ? 0.5 : null, hit: readers.length ? 1 : null, disagreement: readers.length ? 0.5 : null,
    verdicts: Object.fromEntries(given), ...changes,
  };
}

/** Rows of every kind, the same ones each time. */
export function list(count) {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const one = (items) => items[Math.floor(random() * items.length)];
  return Array.from({ length: count }, (_, id) => {
    const readers = one([[], ["Dr. A"], ["Dr. A", "Dr. B"]]);
    const unread = random() < 0.1;
    const judged = random() < 0.3 ? { Ana: [one(["agree", "partly", "disagree", "unsure"]), one(["", "apex missed"])] } : {};
    const known = unread || !readers.length ? null : random();
    return row(id + 1, {
      readers, normal: readers.length ? [] : one([[], ["Dr. C"]]), verdicts: random() < 0.1 ? { ...judged, Ben: "partly" } : judged,
      name: `chest-${Math.floor(random() * 1e6)}.png`, patient: `p${id % 4000}`, source: one(["nih", "rsna", "covid", "own"]),
      split: one(["train", "test"]), label: one(["", ...CLASSES]), predicted: unread ? null : one(CLASSES),
      probability: unread ? null : 0.4 + 0.6 * random(), warnings: random() < 0.05 ? ["unlikely_finding"] : [],
      problem: unread && random() < 0.1 ? "The file is damaged." : "", iou: known, hit: known === null ? null : Math.round(known),
      disagreement: known === null ? null : 1 - known,
    });
  });
}
