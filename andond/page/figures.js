/* Figures: a number with its name, its unit and its age, or the reason why there is none; null is never 0. */
import { age, moment, now, stamp } from "./clock.js";
import { find, joined, keep, make, put } from "./elements.js";
import { curve, mark, plot, remark } from "./shapes.js";
import { text } from "./words.js";

const CURVE = 120; // seconds
const STEP = 1000;
const LONG = 25; // characters of a name that nobody reads from afar

/** A value in about six digits, thousands apart. */
export function shown(value) {
	if (typeof value !== "number") return text(value);
	if (!Number.isInteger(value)) return String(Number(value.toPrecision(6)));
	return value.toLocaleString("en").replaceAll(",", "\u202f");
}

const percent = (value) => [value.toFixed(1), "%"];
const rate = (value) => [value < 100 ? shown(Number(value.toFixed(1))) : shown(Math.round(value)), "/s"];
const milliseconds = (value) => (value < STEP ? [shown(Number(value.toPrecision(3))), "ms"] : [(value / STEP).toFixed(2), "s"]);

function bytes(value, after = "") {
	const rank = Math.min(4, Math.floor(Math.log10(Math.max(1, value)) / 3));
	const part = value / STEP ** rank;
	return [part.toFixed(rank && part < 100 ? 1 : 0), ["B", "kB", "MB", "GB", "TB"][rank] + after];
}

const bytesRate = (value) => bytes(value, "/s");
const GATEWAY = [
	["cpuPercent", "CPU", percent, 100],
	["memoryPercent", "Memory", percent, 100],
	["diskPercent", "Disk", percent, 100],
	["networkReceivedBytesPerSecond", "Network in", bytesRate],
	["networkSentBytesPerSecond", "Network out", bytesRate],
	["eventRate", "Events", rate],
	["deliveryRate", "Deliveries", rate],
	["deliveryP99Ms", "Delivery p99", milliseconds],
];
const CHAIN = {
	"portal.tps": ["Throughput", "currentTPS averageTPS peakTPS latency"],
	"portal.metrics": ["Transactions", "totalTransactions pendingTransactions p95LatencyMs p99LatencyMs"],
	"portal.block": ["Newest block", "blockHeight blockTime transactions producer"],
	"portal.validators": ["Validators", "activeValidators totalValidators inactiveValidators jailedValidators"],
	"portal.network": ["Network", "activeNodes totalNodes networkHealth avgLatency"],
	"chain.consensus": ["Consensus", "state epoch round term leader performanceScore"],
};
const SIGNS = { JAILED: "critical", TOMBSTONED: "critical", INACTIVE: "high" };

/** Show what the host source told of the gateway. */
export function showGateway({ past, beat }) {
	const newest = past.at(-1);
	find("no-gateway").hidden = !!newest;
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
	if (name === "cpuPercent") return known(data.processCpuPercent, percent, "andond");
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
	const row = make("div", "figure aged", make("dt", "", make("span", "", title), age()), make("dd", "", make("b"), make("i"), make("span", "note muted")));
	if (points) row.append(curve());
	return row;
}

function updateFigure(row, { value, form, note, at, limit, points, top }) {
	const [number, unit, words] = row.children[1].children;
	// A word of several breaks between them.
	const said = text(value).replace(/([a-z])(?=[A-Z])/g, "$1\u200b");
	const [digits, name] = typeof value === "number" ? form(value) : [said || "–", ""];
	put(number, digits);
	put(unit, name);
	put(words, note ?? "");
	row.classList.toggle("text", typeof value === "string");
	stamp(row.firstChild.lastChild, at, limit);
	if (points) plot(row.lastChild, points, now(), CURVE, top);
}

/** Show what is known of the chain; nothing where none was spoken of. */
export function showChain({ chain }, watched) {
	const groups = Object.keys(CHAIN).filter((type) => chain.has(type)).map((type) => groupOf(type, latest(chain, type)[0]));
	const told = groups.filter(({ given }) => given.length);
	const reasons = reasonsOf(groups);
	// Of a chain that the gateway watches itself the status document tells who is in jail.
	const known = new Set(watched.map(({ chain }) => chain));
	const validators = latest(chain, "validator.status").filter(({ data }) => SIGNS[data.status] && !known.has(data.chain));
	const why = find("chain-why");
	find("chain").hidden = !chain.size && !watched.length;
	why.hidden = !reasons.length;
	if (told.length && !why.told) why.open = why.told = true;
	keep(find("chain-groups"), told, ({ title }) => title, createGroup, updateGroup);
	keep(find("chain-reasons"), reasons, ([key]) => key, () => make("li"), (row, [, words]) => put(row, words));
	keep(find("chain-rows"), validators, ({ key }) => key, createLine, (row, { key, data, at }) => {
		fillLine(row, SIGNS[data.status], data.status, ["validator", text(data.name), text(data.reason), key], moment(data.sinceAt) ?? at);
	});
}

function groupOf(type, known) {
	const [title, names] = CHAIN[type];
	const fields = names.split(" ");
	return { title, fields, known, given: fields.filter((name) => isGiven(known.data[name])) };
}

const wordOf = (name) => name.replace(/(Ms|TPS|Validators|Transactions|Nodes)$/, "").replace(/\B(?=[A-Z])/g, " ").toLowerCase();
const formOf = (name) => (/latency|Time$/i.test(name) ? milliseconds : name.endsWith("TPS") ? rate : (value) => [shown(value), ""]);
const isGiven = (value) => (value ?? null) !== null;

function latest(chain, type) {
	return [...(chain.get(type)?.values() ?? [])].sort((a, b) => b.at - a.at);
}

function createGroup({ title }) {
	return make("section", "group", make("h3", "", title), make("dl", "figures"));
}

function updateGroup(section, { given, known: { data, at, beat } }) {
	const more = typeof data.observedAt === "number" ? { at: data.observedAt / STEP } : { at, limit: beat.limit };
	showFigures(section.lastChild, given.map((name) => {
		const named = data[name + "Name"];
		return { title: wordOf(name), form: formOf(name), value: named ?? data[name], note: named && data[name], ...more };
	}));
}

function reasonsOf(groups) {
	const reasons = new Map();
	for (const { title, fields, given, known } of groups)
		for (const name of fields.filter((name) => known.data[name] === null)) {
			const reason = text(known.data.reasons?.[name]) || "no reason told";
			// A reason may tell an age that runs on; as a key it must not.
			const key = reason.replace(/\d+/g, "#");
			const names = (reasons.get(key)?.names ?? new Set()).add(given.length ? `${title}: ${wordOf(name)}` : title);
			reasons.set(key, { reason, names });
		}
	return [...reasons].map(([key, { reason, names }]) => [key, `${[...names].join(", ")}: ${reason}`]);
}

/** The name of a place, and where that is. */
export function placeOf(path) {
	const cut = path.lastIndexOf("/");
	return make("header", "", make("h3", path.length - cut > LONG ? "long" : "", path.slice(cut + 1)), make("span", "muted", path.slice(0, Math.max(0, cut))));
}

/** How old is what was shown when the link went. */
export const asOf = () => make("p", "asof", "as it was ", age(), " ago");

/** An empty line: mark, word, words, age. */
export const createLine = () => make("li", "line", mark(), make("strong"), make("span", "muted"), age());

/** Fill a line. */
export function fillLine(row, meaning, word, words, at, limit) {
	const [sign, first, rest, old] = row.children;
	remark(sign, meaning);
	put(first, word);
	put(rest, joined(words));
	stamp(old, at, limit);
}
