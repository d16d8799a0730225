/* What the status document tells: readiness, sources, connections, deliveries, the tree of actors.

   An actor that does not answer is loud, and the way to it is open; the rest is calm. */
import { showChains, stateOf } from "./chains.js";
import { age, moment, span, stamp } from "./clock.js";
import { counted, find, joined, keep, make, put, set } from "./elements.js";
import { createLine, fillLine, shown } from "./figures.js";
import { mark, remark, tell } from "./shapes.js";

const WELL = ["running", "fresh", "connected"];
const PASSING = ["starting", "stopping", "connecting", "draining"];
const FEW = 12; // children, shown at once

const told = (counts) => joined(Object.entries(counts).map(([word, count]) => count && `${shown(count)} ${word}`), ", ");
const before = (at, age) => (typeof age === "number" ? at - age : null);

/** Show `status`, which was told at `at` (the gateway's clock), of the site that people call `title`. */
export function showStatus(status, at, title) {
	const { ready, deliveries, connections, tree } = status;
	tell("ready", ready ? "good" : "high", ready ? "ready" : `not ready: ${status.not_ready.join("; ")}`);
	put(find("node"), title || status.node);
	find("access").hidden = status.access?.standing !== "open";
	put(find("version"), `${status.node} · andond ${status.version} up`);
	stamp(find("uptime"), before(at, status.uptime));
	const { frames_sent: sent, dropped, conflated, delivery_ms: delay } = deliveries;
	const delays = delay.p99 !== null && `delivered within ${delay.p50} ms (p50), ${delay.p99} ms (p99)`;
	put(find("deliveries"), joined(["since the start", told({ "frames sent": sent, dropped, conflated }), delays]));
	showChains(status.chains, at);
	showSources(status, at);
	showHooks(status.hooks ?? []);
	showConnections(connections);
	if (tree) showTree(tree, at);
}

function showSources({ sources, chains }, at) {
	find("no-sources").hidden = sources.length > 0;
	keep(find("source-rows"), sources, ({ name }) => name, createLine, (row, source) => {
		const { state, cadence, required, age } = source;
		// What promised no cadence and has not spoken yet is not late.
		const isQuiet = age === null && !cadence;
		// Nodes that answer say nothing of a chain that stands still.
		const trouble = stateOf(chains.find(({ chain }) => chain === source.chain));
		const meaning = trouble ? "critical" : isQuiet ? "waiting" : WELL.includes(state) ? "good" : required ? "critical" : "high";
		const words = [isQuiet ? "nothing yet" : state, source.kind, source.equipment, trouble && `${source.chain} ${trouble}`, required && "required"];
		fillLine(row, meaning, source.name, words, before(at, age), cadence ? 2 * cadence + 2 : null);
	});
}

// What waits to be configured is no news; what is in quarantine comes first.
function showHooks(parts) {
	const broken = parts.filter(({ state }) => state === "quarantined");
	const used = parts.filter(({ state, calls }) => state !== "quarantined" && calls);
	find("hooks").hidden = parts.length === 0;
	put(find("hooks-count"), broken.length ? `${broken.length} in quarantine` : "");
	keep(find("hook-rows"), [...broken, ...used], ({ hook, kind, name }) => `${hook}/${kind}/${name}`, createLine, (row, part) => {
		const { hook, kind, name, state, reason, refusal, since } = part;
		const isBroken = state === "quarantined";
		fillLine(row, isBroken ? "critical" : "good", `${hook} ${name}`, [kind, state, reason, refusal && `refused: ${refusal}`], isBroken ? moment(since) : null);
	});
}

function showConnections({ open, by_door: doors, refused }) {
	put(find("connections-count"), shown(open));
	put(find("doors"), told(doors));
	put(find("refused"), told(refused) && `refused: ${told(refused)}`);
}

function showTree(root, at) {
	const found = { count: 0, troubled: 0 };
	keep(find("tree"), [root], ({ path }) => path, createNode, (row, node) => updateNode(row, node, at, found, ""));
	put(find("actors-count"), found.troubled ? `${found.troubled} of ${found.count} not running` : found.count);
	find("actors-count").classList.toggle("loud", found.troubled > 0);
}

function createNode() {
	const head = make("div", "actor", mark(), make("strong"), make("b"), make("span", "waiting"), make("span", "muted"), age(), make("span", "waiting"));
	return Object.assign(make("li", "node", head), { head });
}

function updateNode(row, node, at, found, above) {
	const [sign, name, word, waiting, facts, old, failure] = row.head.children;
	const meaning = WELL.includes(node.state) ? "good" : PASSING.includes(node.state) ? "waiting" : "critical";
	const { children = [] } = node;
	found.count += 1 + (node.summarised || 0);
	found.troubled += meaning === "critical";
	row.head.classList.toggle("stuck", meaning === "critical");
	remark(sign, meaning);
	put(name, node.path.slice(above.length));
	put(word, meaning === "good" ? "" : node.state);
	put(waiting, told(node.depth) && `waiting: ${told(node.depth)}`);
	const more = node.summarised ? `${children.length} of ${children.length + node.summarised} shown` : "";
	put(facts, joined([node.kind, `${shown(node.handled)} handled`, node.restarts && counted(node.restarts, "restart"), more]));
	stamp(old, before(at, node.last_message_age));
	const busy = node.handling && `in ${node.handling} for ${span(node.handling_age)}`;
	const failed = node.last_failure && `failed ${span(node.last_failure_age)} ago: ${node.last_failure}`;
	put(failure, joined([busy, failed, node.quarantined && `${node.quarantined} quarantined`]));
	const { troubled } = found;
	if (children.length || row.list) showChildren(row, children, at, found, `${node.path}/`);
	if (row.list && found.troubled > troubled) row.lastChild.open = true;
}

function showChildren(row, children, at, found, above) {
	if (!row.list) {
		row.list = make("ul");
		row.append(make("details", "", make("summary", "", row.head), row.list));
		row.lastChild.open = children.length <= FEW;
	}
	keep(row.list, children, ({ path }) => path, createNode, (child, node) => updateNode(child, node, at, found, above));
}
