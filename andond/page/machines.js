/* The machines, one tile each, and their open alarms.

   A tile's first lines can be read from 5 m. */
import { age, stamp } from "./clock.js";
import { counted, find, joined, keep, make, put, set } from "./elements.js";
import { asOf, createLine, fillLine, placeOf, shown } from "./figures.js";
import { band, mark, remark, ribbon, tell } from "./shapes.js";
import { text, trim } from "./words.js";

const FEW = 4; // readings, always shown
const SHOWN = 50; // alarms in the list
const IN_TILE = 3;
const LINES = 10; // in a flood
const FLOOD = 10; // alarms in ten minutes (ISA-18.2)
export const STRAY = "a place that the site does not describe";

const NONE = "No machine has told anything yet: configure a source, or post to /api/v1/events.";

const byName = (a, b) => a.localeCompare(b, undefined, { numeric: true });

/** Show the open alarms, the most urgent first. */
export function showAlarms(model) {
	const { open, recent, floor: { isTold } } = model;
	const floods = [...model.floor.floods.values()];
	const isFlood = recent > FLOOD || floods.length > 0;
	const rows = isFlood ? grouped(open) : open.slice(0, SHOWN);
	const faults = open.filter(({ priority }) => priority === "critical").length;
	const worst = faults ? "critical" : open.length ? "high" : isTold ? "good" : "waiting";
	const first = firstOut(open);
	set(find("alarms"), "data-worst", worst);
	put(find("alarms-count"), open.length || "");
	put(find("no-alarms"), joined([isFlood ? "In a flood: the first alarm of each machine" : open.length > SHOWN && `The ${SHOWN} most urgent`]) || (open.length ? "" : isTold ? "No alarm is open." : "Not known yet."));
	const where = joined(floods.map(({ where }) => where), ", ");
	// Until it is known what is open a nought would be made up.
	put(find("alarm-rate"), isTold || isFlood ? `${recent} raised in the last 10 min${isFlood ? joined([": a flood", where], " at ") : ""}` : "");
	find("alarm-rate").classList.toggle("loud", isFlood);
	keep(find("alarm-rows"), rows, ({ id }) => id, createAlarm, (row, alarm) => updateAlarm(row, alarm, first));
	const rest = open.length - faults;
	tell("summary", worst, joined([faults && counted(faults, "fault"), rest && counted(rest, "warning")], ", ") || (isTold ? "no open alarm" : "alarms not known yet"));
}

// One line a machine: its first alarm and how many came with it; nobody can read more in a flood.
function grouped(open) {
	const groups = new Map();
	for (const alarm of [...open].sort((a, b) => a.since - b.since)) {
		const group = groups.get(alarm.path);
		if (!group) groups.set(alarm.path, { ...alarm, more: 0, faults: 0 });
		else {
			group.more += 1;
			group.faults += alarm.priority === "critical";
			// Which alarm was first says nothing of how bad it has become.
			if (alarm.priority === "critical") group.priority = "critical";
		}
	}
	const order = ({ priority }) => (priority === "critical" ? 0 : 1);
	return [...groups.values()].sort((a, b) => order(a) - order(b) || b.more - a.more).slice(0, LINES);
}

// The oldest alarm of each machine that has several.
function firstOut(open) {
	const first = new Map();
	for (const alarm of open) {
		const [oldest, count] = first.get(alarm.path) ?? [alarm, 0];
		first.set(alarm.path, [alarm.since < oldest.since ? alarm : oldest, count + 1]);
	}
	return new Set([...first.values()].filter(([, count]) => count > 1).map(([{ id }]) => id));
}

function createAlarm({ path, key, code }) {
	const where = make("span", "muted", joined([path, key, code && `code ${code}`]));
	return make("li", "", mark(), make("strong"), make("div", "", make("span", "first", "first out"), where, make("span", "waiting")), age());
}

function updateAlarm(row, alarm, first) {
	const [sign, words, { firstChild: label, lastChild: note }, old] = row.children;
	const rank = rankOf(alarm);
	set(row, "class", `alarm alarm-${rank}`);
	remark(sign, rank);
	put(words, joined([alarm.level, alarm.text], " "));
	label.hidden = !first.has(alarm.id);
	put(note, joined([alarm.isStray && STRAY, alarm.state && ` ${alarm.state.replaceAll("_", " ")}`, alarm.more && ` and ${alarm.more} more here${alarm.faults ? `, ${counted(alarm.faults, "fault")} among them` : ""}`]));
	stamp(old, alarm.since);
}

const rankOf = ({ priority }) => (priority === "critical" ? "critical" : "high");

/** Show the machines; `sources` is what the status document tells of them. */
export function showMachines(model, sources) {
	const machines = [...model.machines.values()].sort((a, b) => byName(a.path, b.path));
	const oldest = model.open.sort((a, b) => a.since - b.since);
	find("no-machines").hidden = machines.length > 0;
	put(find("no-machines"), model.floor.isTold ? NONE : "Not known yet.");
	put(find("machines-count"), machines.length || "");
	keep(find("tiles"), machines, ({ path }) => path, createTile, (tile, machine) => {
		const alarms = oldest.filter(({ path }) => path === machine.path);
		const source = sources.find(({ equipment }) => trim(equipment) === machine.path);
		updateTile(tile, machine, alarms, source, model.heard);
	});
}

function createTile({ path }) {
	const parts = {
		mark: mark(),
		state: make("span"),
		since: age(),
		words: make("span", "muted"),
		source: make("p", "loud"),
		alarms: make("ul"),
		ribbon: ribbon(),
		few: make("dl"),
		more: make("summary"),
		rest: make("dl"),
	};
	const details = make("details", "", parts.more, parts.rest);
	const lasting = make("p", "for", parts.since, parts.words);
	const tile = make("li", "", placeOf(path), make("p", "now", parts.mark, parts.state), lasting, parts.source, parts.alarms, parts.ribbon, parts.few, details);
	tile.append(asOf());
	tile.parts = parts;
	details.addEventListener("toggle", () => (tile.version = null));
	return tile;
}

function updateTile(tile, machine, alarms, source, heard) {
	const { parts } = tile;
	const rank = machine.class === "critical" || alarms.some((alarm) => rankOf(alarm) === "critical") ? "critical" : alarms.length ? "high" : "";
	const quiet = source && !["fresh", "connected"].includes(source.state);
	set(tile, "class", `tile is-${machine.class} alarm-${rank} ${quiet ? "late" : ""}`);
	put(parts.source, quiet ? joined([`source ${text(source.state)}`, source.age !== null && `${Math.round(source.age)} s`]) : "");
	band(parts.ribbon, machine.changes, heard);
	if (tile.version === machine.version) return;
	tile.version = machine.version;
	remark(parts.mark, machine.class);
	put(parts.state, machine.state || "no state yet");
	stamp(parts.since, machine.since ?? null);
	put(parts.words, joined([!["unknown", "critical"].includes(machine.class) && machine.class, machine.mode, machine.previous && `before: ${machine.previous}`]));
	keep(parts.alarms, alarms.slice(0, IN_TILE), ({ id }) => id, createLine, (row, alarm) => {
		fillLine(row, rankOf(alarm), alarm.text, [alarm.code], alarm.since);
	});
	showReadings(parts, machine);
}

// Numbers first, then by name: nothing jumps about.
function showReadings({ few, more, rest }, { readings }) {
	const isNumber = ({ value }) => typeof value === "number";
	const sorted = [...readings.values()].sort((a, b) => isNumber(b) - isNumber(a) || byName(a.key, b.key));
	keep(few, sorted.slice(0, FEW), ({ key }) => key, createReading, updateReading);
	const hidden = sorted.slice(FEW);
	rest.parentElement.hidden = hidden.length === 0;
	put(more, `${hidden.length} more`);
	if (rest.parentElement.open) keep(rest, hidden, ({ key }) => key, createReading, updateReading);
}

function createReading({ key }) {
	return make("div", "reading aged", make("dt", "", key), make("dd", "", make("b"), make("i"), age()));
}

function updateReading(row, { value, unit, quality, reason, at, beat }) {
	const [words, note, old] = row.lastChild.children;
	put(words, (value ?? null) === null ? reason || "no value" : shown(value));
	put(note, joined([unit, quality !== "good" && quality]));
	set(row, "title", text(value));
	stamp(old, at, beat.limit);
}
