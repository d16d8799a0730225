/* What is known: what the events that came mean.

   No element, no socket. Everything is bounded, for the page stays open for months and strangers name things. What
   did not come is absent, what came twice counts once. */
import { Beat, moment, now } from "./clock.js";

const LIMITS = { machines: 200, readings: 150, alarms: 500, chain: 100, channels: 2000 };
const LINES = 400; // of events, and as many periodic ones
const POINTS = 150; // of a curve; changes of a state
const SEEN = 500; // positions of one channel
const TRAILING = 600; // seconds in which alarms are counted
const LONG = 90 * 86400; // no state is believed to last longer
const CLASSES = { executing: "executing", held: "held", idle: "idle", not_executing: "idle" };

export const RANK = { critical: 0, high: 1, normal: 2, low: 3 };

/** Everything that the page knows; `dirty` names the parts with something new to show. */
export class Model {
	lines = [];
	periodic = [];
	dirty = new Set();

	machines = new Map();
	alarms = new Map();
	chain = new Map();
	places = new Map();
	host = { past: [], beat: new Beat(1) };
	raised = [];
	unseen = 0; // open alarms that only the status document tells of
	compared = 0;
	heard = now(); // when the link was last live

	/** Forget what was told before `since`, in an earlier life of the gateway; the event stream stays. */
	forget(since) {
		for (const map of [this.machines, this.alarms, this.chain])
			for (const [key, { at }] of map) if (at < since) map.delete(key);
	}

	/** Take one event in as it came; answers how it is kept, or null if it is none or was known. */
	take(members) {
		if (typeof members?.type !== "string" || this.isKnown(members)) return null;
		const { type, data } = members;
		const event = {
			members,
			type,
			at: moment(members.recordedtime) ?? now(),
			path: trim(members.source),
			subject: text(members.subject),
			priority: members.priority in RANK ? members.priority : "normal",
			quality: text(members.quality),
			data: data !== null && typeof data === "object" ? data : {},
			isPeriodic: /^(host|portal)\.|^equipment\.reading/.test(type),
		};
		if (type === "equipment.state.changed") this.changeState(event);
		else if (type === "equipment.reading") this.read(event);
		else if (type.startsWith("alarm.")) this.changeAlarm(event);
		else if (type === "host.metrics") this.measure(event);
		else if (/^(chain|validator|portal)\./.test(type)) this.followChain(event);
		this.note(event);
		return event;
	}

	/** What the status document tells of `sources`: a history begins somewhere, what lasts may have begun before. */
	compare(sources) {
		let unseen = 0;
		for (const { equipment, machine } of sources.filter((source) => source.machine)) {
			const path = trim(equipment);
			if (!this.machines.has(path)) Object.assign(this.machine({ path, at: now() }), stateOf(machine));
			unseen += Math.max(0, machine.activeAlarms - this.open.filter((alarm) => alarm.path === path).length);
		}
		// An alarm that was cleared just now is still in the document: only what lasts counts.
		this.unseen = Math.min(unseen, this.compared);
		this.compared = unseen;
	}

	/** Open alarms: the most urgent first, then the oldest, which is nearest to the cause. */
	get open() {
		return [...this.alarms.values()].sort((a, b) => RANK[a.priority] - RANK[b.priority] || a.since - b.since);
	}

	/** How many events did not come, of the channels where each one counts. */
	get lost() {
		const each = [...this.places].filter(([channel]) => !/^(host|portal|readings)\//.test(channel));
		return each.reduce((sum, [, { first, last, count }]) => sum + last - first + 1 - count, 0);
	}

	/** How many alarms were raised in the last ten minutes. */
	get recent() {
		this.raised = this.raised.filter((at) => at > now() - TRAILING);
		return this.raised.length;
	}

	// A critical event overtakes others of its channel: positions do not always come in order.
	isKnown({ channel, offset }) {
		const [epoch, number] = text(offset).split(":");
		const position = Number(number);
		if (!channel || !Number.isFinite(position)) return false;
		let place = this.places.get(channel);
		if (place?.epoch !== epoch) place = { epoch, first: position, last: position, count: 0, seen: new Set() };
		if (place.seen.has(position)) return true;
		place.at = now();
		place.last = Math.max(place.last, position);
		place.count += 1;
		place.seen.add(position);
		if (place.seen.size > SEEN) place.seen.delete(place.seen.values().next().value);
		store(this.places, channel, place, LIMITS.channels);
		return false;
	}

	note(event) {
		const list = event.isPeriodic ? this.periodic : this.lines;
		let place = list.length;
		while (place > 0 && list[place - 1].at > event.at) place -= 1;
		list.splice(place, 0, event);
		if (list.length > LINES) list.shift();
		this.dirty.add("events");
	}

	machine({ path, at }) {
		const machine = this.machines.get(path) ?? { path, state: "", class: "unknown", readings: new Map(), changes: [], version: 0 };
		machine.at = Math.max(machine.at ?? 0, at);
		machine.version += 1;
		store(this.machines, path, machine, LIMITS.machines);
		this.dirty.add("machines");
		return machine;
	}

	changeState(event) {
		const machine = this.machine(event);
		const { data, at } = event;
		if (at < machine.told) return;
		Object.assign(machine, {
			told: at,
			since: believed(data.since, event),
			...stateOf(data),
			isStopped: data.emergencyStop === "TRIGGERED",
			previous: typeof data.previous === "string" ? data.previous : stateWord(data.previous ?? {}),
			mode: text(data.mode),
		});
		machine.changes.push({ at: machine.since, class: machine.class });
		if (machine.changes.length > POINTS) machine.changes.shift();
	}

	read(event) {
		const { readings } = this.machine(event);
		const { data, at, quality, subject } = event;
		const key = subject || text(data.key);
		const { beat = new Beat() } = readings.get(key) ?? {};
		beat.hit(at);
		store(readings, key, { key, value: data.value, unit: text(data.unit), reason: text(data.reason), at, quality, beat }, LIMITS.readings);
	}

	changeAlarm(event) {
		const { data, path, at, type, members } = event;
		const [key, code] = [text(data.key) || event.subject, text(data.code)];
		const id = JSON.stringify([path, key, code]);
		const known = this.alarms.get(id);
		const [epoch, position] = text(members.offset).split(":");
		// A fault overtakes the clearance that was told before it.
		if (known?.epoch === epoch && known.position > Number(position)) return;
		this.machine(event);
		this.dirty.add("alarms");
		if (type === "alarm.cleared") return void this.alarms.delete(id);
		if (!known && this.raised.push(at) > LIMITS.alarms) this.raised.shift();
		const level = text(data.level).toUpperCase();
		const alarm = { id, path, key, code, level, at, epoch, position: Number(position) };
		alarm.priority = level === "FAULT" ? "critical" : event.priority;
		alarm.since = known?.since ?? believed(data.since, event);
		alarm.text = text(data.text) || known?.text || key;
		store(this.alarms, id, alarm, LIMITS.alarms);
	}

	measure(event) {
		const { past, beat } = this.host;
		beat.hit(event.at);
		if (past.push(event) > POINTS) past.shift();
		this.dirty.add("gateway");
	}

	followChain({ type, data, at }) {
		const known = this.chain.get(type) ?? new Map();
		known.at = at;
		store(this.chain, type, known, LIMITS.chain);
		const key = text(data.validator ?? data.peerId ?? data.txHash);
		const { beat = new Beat() } = known.get(key) ?? {};
		beat.hit(at);
		store(known, key, { key, data, at, beat }, LIMITS.chain);
		this.dirty.add("chain");
	}
}

/** `value` as a string; objects as JSON, nothing as the empty string. */
export function text(value) {
	return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
}

/** A path without slashes around it. */
export const trim = (path) => text(path).replace(/^\/+|\/+$/g, "");

/** What `data` says of a machine: what stops it comes first, then the word of its own control, then ours. */
export function stateWord(data) {
	if (data.emergencyStop === "TRIGGERED") return "EMERGENCY STOP";
	if (data.availability === "UNAVAILABLE") return "UNAVAILABLE";
	return (text(data.execution) || text(data.state)).replaceAll("_", " ").toUpperCase();
}

const stateOf = (data) => ({ state: stateWord(data), class: CLASSES[data.class] ?? CLASSES[data.state] ?? "unknown" });

// A source's clock may be years off, as a replayed log's is: then the time of receipt counts.
function believed(since, { at, quality }) {
	const told = moment(since);
	return quality === "good" && told !== null && told <= at + 1 && at - told < LONG ? told : at;
}

// Past `limit` what was heard of longest ago goes.
function store(map, key, value, limit) {
	map.set(key, value);
	if (map.size <= limit) return;
	let [[oldest, found]] = map;
	for (const [name, one] of map) if (one.at < found.at) [oldest, found] = [name, one];
	map.delete(oldest);
}
