/* What the status document tells: readiness, sources, connections, deliveries, the tree of actors.
 *
 * Rules of this file: an actor that does not answer is loud, and the way to it is open; the rest is calm.
 */
import { age, stamp } from "./clock.js";
import { counted, find, joined, keep, make, put, set } from "./elements.js";
import { shown } from "./figures.js";
import { text } from "./model.js";
import { mark, remark } from "./shapes.js";

const WELL = ["running", "fresh", "connected"];
const PASSING = ["starting", "stopping", "connecting", "draining"];
const LANES = ["critical", "high", "normal", "low"];
const CHILDREN = 100;
const FEW = 12; // children that are shown at once

const list = (value) => (Array.isArray(value) ? value : []);
const tallies = (counts) => Object.entries(counts ?? {}).filter(([, count]) => count > 0);
const told = (counts) => tallies(counts).map(([word, count]) => `${shown(count)} ${word}`).join(", ");
const before = (at, age) => (typeof age === "number" ? at - age : null);

/** Show `status`, which was told at `at` (the gateway's clock). */
export function showStatus(status, at) {
  const { ready, deliveries = {}, connections = {}, tree } = status;
  const [sign, words] = find("ready").children;
  set(find("ready"), "data-state", ready ? "good" : "high");
  remark(sign, ready ? "good" : "high");
  put(words, ready ? "ready" : `not ready: ${list(status.not_ready).map(reasonWord).join("; ") || "no reason told"}`);
  put(find("node"), text(status.node) || "andond");
  put(find("version"), `andond ${text(status.version)} up`);
  stamp(find("uptime"), before(at, status.uptime));
  const { frames_sent: sent, dropped, conflated, delivery_ms: delay } = deliveries;
  const lost = [["sent", sent], ["dropped", dropped], ["conflated", conflated]];
  put(find("deliveries"), joined([told(Object.fromEntries(lost)), typeof delay?.p99 === "number" && `p50 ${delay.p50} ms, p99 ${delay.p99} ms since start`]));
  showSources(list(status.sources), at);
  showConnections(connections);
  if (tree) showTree(tree, at);
}

const reasonWord = (reason) => (typeof reason === "object" ? joined(Object.values(reason ?? {}).map(text), " ") : text(reason));

function showSources(sources, at) {
  find("no-sources").hidden = sources.length > 0;
  keep(find("source-rows"), sources, ({ name }) => name, () => make("li", "line", mark(), make("strong"), make("span", "muted"), age()), (row, source) => {
    const [sign, name, words, old] = row.children;
    const { state, cadence, required } = source;
    // What promised no cadence and has not spoken yet is not late.
    const quiet = source.age === null && !cadence;
    remark(sign, quiet ? "waiting" : WELL.includes(state) ? "good" : required ? "critical" : "high");
    put(name, text(source.name));
    put(words, joined([quiet ? "nothing yet" : text(state), text(source.kind), text(source.equipment), required && "required"]));
    stamp(old, before(at, source.age), cadence ? 2 * cadence + 2 : null);
  });
}

function showConnections({ open, by_door: doors, refused }) {
  const counts = tallies(doors).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...counts.map(([, count]) => count));
  put(find("connections-count"), shown(open));
  keep(find("doors"), counts, ([door]) => door, ([door]) => make("li", "door", make("span", "", door), make("span", "bar"), make("b")), (row, [, count]) => {
    row.children[1].style.inlineSize = `${(100 * count) / most}%`;
    put(row.children[2], shown(count));
  });
  put(find("refused"), told(refused) && `refused: ${told(refused)}`);
}

function showTree(root, at) {
  const found = { count: 0, troubled: 0 };
  keep(find("tree"), [root], ({ path }) => path, createNode, (row, node) => updateNode(row, node, at, found, 0));
  put(find("actors-count"), found.troubled ? `${found.troubled} of ${found.count} not running` : found.count);
  find("actors-count").classList.toggle("loud", found.troubled > 0);
}

function createNode() {
  const head = make("div", "actor", mark(), make("strong"), make("b"), make("span", "waiting"), make("span", "muted"), age(), make("span", "waiting"));
  const row = make("li", "node", head);
  return Object.assign(row, { head });
}

function updateNode(row, node, at, found, level) {
  const [sign, name, word, waiting, facts, old, failure] = row.head.children;
  const state = text(node.state);
  const meaning = WELL.includes(state) ? "good" : PASSING.includes(state) ? "waiting" : "critical";
  const children = list(node.children);
  found.count += 1 + (node.summarised || 0);
  found.troubled += meaning === "critical";
  row.head.classList.toggle("stuck", meaning === "critical");
  remark(sign, meaning);
  put(name, text(node.id));
  put(word, meaning === "good" ? "" : state);
  const depth = told(Object.fromEntries(LANES.map((lane) => [lane, node.depth?.[lane] ?? 0])));
  put(waiting, depth && `waiting: ${depth}`);
  const more = node.summarised ? `${children.length} of ${children.length + node.summarised} shown` : "";
  put(facts, joined([text(node.kind), `${shown(node.handled ?? 0)} handled`, node.restarts && counted(node.restarts, "restart"), more]));
  stamp(old, before(at, node.last_message_age));
  put(failure, node.last_failure ? `last failure: ${reasonWord(node.last_failure)}` : "");
  const { troubled } = found;
  if (children.length || row.list) showChildren(row, children.slice(0, CHILDREN), at, found, level + 1);
  if (row.list && found.troubled > troubled) row.lastChild.open = true;
}

function showChildren(row, children, at, found, level) {
  if (!row.list) {
    row.list = make("ul", "plain");
    row.append(make("details", "", make("summary", "", row.head), row.list));
    row.lastChild.open = level < 3 && children.length <= FEW;
  }
  keep(row.list, children, ({ path }) => path, createNode, (child, node) => updateNode(child, node, at, found, level));
}
