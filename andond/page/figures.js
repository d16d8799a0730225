/* Figures of the gateway and the chain: a number with its name, its unit and its age; or the reason why there is none.
 *
 * Rules of this file: null is never shown as 0, and a reason that several values share is said once.
 */
import { age, now, stamp } from "./clock.js";
import { counted, find, joined, keep, make, put } from "./elements.js";
import { text } from "./model.js";
import { curve, mark, plot, remark } from "./shapes.js";

const CURVE = 120; // seconds
const NEWEST = 6; // transactions
const SIGNIFICANT = 6;
const STEP = 1000;

/** A value in about six digits, thousands apart. */
export function shown(value) {
  if (typeof value !== "number") return text(value);
  if (!Number.isInteger(value)) return String(Number(value.toPrecision(SIGNIFICANT)));
  return value.toLocaleString("en").replaceAll(",", "\u202f");
}

const plain = (value) => [shown(value), ""];
const percent = (value) => [value.toFixed(1), "%"];
const ratio = (value) => percent(100 * value);
const rate = (value) => [value < 100 ? shown(Number(value.toFixed(1))) : shown(Math.round(value)), "/s"];
const milliseconds = (value) => (value < STEP ? [value.toPrecision(3), "ms"] : [(value / STEP).toFixed(2), "s"]);
const traffic = (value) => bytes(value, "/s");

function bytes(value, after = "") {
  const rank = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  const part = value / STEP ** rank;
  return [part.toFixed(rank && part < 100 ? 1 : 0), ["B", "kB", "MB", "GB", "TB"][rank] + after];
}

const GATEWAY = [
  ["cpuPercent", "CPU", percent, 100],
  ["memoryPercent", "Memory", percent, 100],
  ["diskPercent", "Disk", percent, 100],
  ["networkReceivedBytesPerSecond", "Network in", traffic],
  ["networkSentBytesPerSecond", "Network out", traffic],
  ["eventRate", "Events", rate],
  ["deliveryRate", "Deliveries", rate],
  ["deliveryP99Ms", "Delivery p99", milliseconds],
];
const CHAIN = [
  ["portal.tps", "Throughput", { currentTPS: ["now", rate], averageTPS: ["average", rate], peakTPS: ["peak of 24 h", rate], latency: ["settlement", milliseconds] }],
  ["portal.metrics", "Transactions", { totalTransactions: ["counted", plain], pendingTransactions: ["pending", plain], p95LatencyMs: ["p95", milliseconds], p99LatencyMs: ["p99", milliseconds] }],
  ["portal.block", "Newest block", { blockHeight: ["height", plain], blockTime: ["block time", milliseconds], transactions: ["transactions", plain], producer: ["producer", plain] }],
  ["portal.validators", "Validators", { activeValidators: ["active", plain], totalValidators: ["known", plain], inactiveValidators: ["inactive", plain], jailedValidators: ["jailed", plain] }],
  ["portal.network", "Network", { activeNodes: ["connected", plain], totalNodes: ["known", plain], networkHealth: ["health", plain], avgLatency: ["latency", milliseconds] }],
  ["chain.consensus", "Consensus", { state: ["state", plain], epoch: ["epoch", plain], round: ["round", plain], leader: ["leader", plain], performanceScore: ["score", ratio] }],
];
const SIGNS = { SUCCESS: "good", FAILED: "bad", JAILED: "critical", TOMBSTONED: "critical", INACTIVE: "high" };

/** Show what the host source told of the gateway. */
export function showGateway({ past, beat }) {
  const newest = past.at(-1);
  find("no-gateway").hidden = Boolean(newest);
  if (!newest) return;
  const { data, at } = newest;
  const figures = GATEWAY.map(([name, title, form, top]) => ({
    title,
    form,
    top,
    at,
    limit: beat.limit,
    value: data[name],
    note: noteOn(name, data),
    points: past.filter((event) => typeof event.data[name] === "number").map((event) => [event.at, event.data[name]]),
  }));
  showFigures(find("gateway-figures"), figures);
}

function noteOn(name, data) {
  const known = (value, form, word) => (typeof value === "number" ? `${word} ${form(value).join(" ")}` : "");
  if (data.reasons?.[name]) return text(data.reasons[name]);
  if (name === "cpuPercent") return joined([known(data.processCpuPercent, percent, "andond"), data.cpuCount && counted(data.cpuCount, "core")]);
  if (name === "memoryPercent") return joined([known(data.processMemoryBytes, bytes, "andond"), known(data.memoryTotalBytes, bytes, "of")]);
  if (name === "deliveryP99Ms") return known(data.deliveryP50Ms, milliseconds, "p50") || "nothing was delivered";
  if (name !== "diskPercent") return "";
  const each = Object.entries(data.disks ?? {});
  return joined(each.map(([path, disk]) => (disk?.reason ? `${path}: ${text(disk.reason)}` : known(disk?.totalBytes, bytes, `${path} of`))));
}

function showFigures(parent, figures) {
  keep(parent, figures, ({ title }) => title, createFigure, updateFigure);
}

function createFigure({ title, points }) {
  const row = make("div", "figure aged", make("dt", "", title), make("dd", "", make("b"), make("i"), make("span", "note muted"), age()));
  if (points) row.append(curve());
  return row;
}

function updateFigure(row, { value, form, note, at, limit, points, top }) {
  const [number, unit, words, old] = row.children[1].children;
  const [digits, name] = (value ?? null) === null ? ["–", ""] : typeof value === "number" ? form(value) : plain(value);
  put(number, digits);
  put(unit, name);
  put(words, note ?? "");
  stamp(old, at, limit);
  if (points) plot(row.lastChild, points, now(), CURVE, top);
}

/** Show what is known of the chain; nothing where none was spoken of. */
export function showChain({ chain }) {
  const groups = CHAIN.map(([type, title, fields]) => ({ title, fields, known: chain.get(type)?.get("") })).filter(({ known }) => known);
  const told = groups.filter(({ fields, known }) => Object.keys(fields).some((name) => (known.data[name] ?? null) !== null));
  const validators = latest(chain, "validator.status").filter(({ data }) => SIGNS[data.status]);
  const transactions = latest(chain, "chain.transaction").slice(0, NEWEST);
  find("chain").hidden = chain.size === 0;
  find("chain-why").open ||= told.length > 0 && find("chain-why").told === undefined;
  find("chain-why").told = told.length || undefined;
  keep(find("chain-groups"), told, ({ title }) => title, createGroup, updateGroup);
  keep(find("chain-reasons"), reasonsOf(groups), ([reason]) => reason, () => make("li"), (row, [, words]) => put(row, words));
  find("chain-why").hidden = find("chain-reasons").children.length === 0;
  keep(find("chain-rows"), [...validators, ...transactions], ({ key }) => key, createLine, updateLine);
}

function latest(chain, type) {
  return [...(chain.get(type)?.values() ?? [])].sort((a, b) => b.at - a.at);
}

function createGroup({ title }) {
  return make("section", "group", make("h3", "", title), make("dl", "figures"));
}

function updateGroup(section, { fields, known: { data, at, beat } }) {
  const observed = typeof data.observedAt === "number" ? data.observedAt / STEP : null;
  const figures = Object.entries(fields)
    .filter(([name]) => (data[name] ?? null) !== null)
    .map(([name, [title, form]]) => ({ title, form, value: data[name], at: observed ?? at, limit: observed ? null : beat.limit }));
  showFigures(section.lastChild, figures);
}

function reasonsOf(groups) {
  const reasons = new Map();
  for (const { title, fields, known } of groups)
    for (const [name, [word]] of Object.entries(fields)) {
      const reason = known.data[name] === null && text(known.data.reasons?.[name]);
      // A reason may tell an age that runs on; as a key it must not.
      const key = reason && reason.replace(/\d+/g, "#");
      if (key) reasons.set(key, { reason, names: [...(reasons.get(key)?.names ?? []), `${title.toLowerCase()}: ${word}`] });
    }
  return [...reasons].map(([key, { reason, names }]) => [key, `${reason} (${names.join(", ")})`]);
}

function createLine() {
  return make("li", "line", mark(), make("strong"), make("span"), age());
}

function updateLine(row, { key, data, at }) {
  const [sign, word, words, old] = row.children;
  remark(sign, SIGNS[data.status] ?? "waiting");
  put(word, text(data.status));
  put(words, joined([data.validator && "validator", text(data.name), key, text(data.amount ?? data.value)]));
  stamp(old, at);
}
