/* What is known: what the events that came mean.

   No element, no socket. Everything is bounded: the page stays open for months, and strangers name things. What came
   twice counts once. */
import { Beat, believed, moment, mono, now } from "./clock.js";
import { Floor, lookOf } from "./floor.js";
import { text, trim } from "./words.js";

const LIMITS = { machines: 200, readings: 150, alarms: 500, chain: 100, channels: 2000 };
const LINES = 400; // of events, and as many periodic ones
const POINTS = 150; // of a curve; changes of a state
const SEEN = 500; // positions of one channel
const TRAILING = 600; // seconds in which alarms are counted
const OUT_OF_SIGHT = ["normal", "shelved", "suppressed", "out_of_service"];

export const RANK = { critical: 0, high: 1, normal: 2, low: 3 };

/** Everything that the page knows; `dirty` names the parts with something new to show. */
export class Model {
	lines = [];
	periodic = [];
	dirty = new Set();
	floor = new Floor();

	machines = new Map();
	alarms = new Map();
	chain = new Map();
	places = new Map();
	host = { past: [], beat: new Beat(1) };
	raised = [];
	heard = now(); // when the link was last live
	changes = 0; // of alarms

	/** Forget what nobody has told since `before` (monotonic): an earlier life of the gateway did. Alarms have a list. */
	forget(before, more = []) {
		for (const map of [this.machines, this.chain, this.floor.lines, ...more])
			for (const [key, { came }] of map) if (came < before) map.delete(key);
	}

	/** Take the list of open alarms of a gateway that `keeps` what was before it. */
	know({ items, total }, keeps) {
		const events = items.map((data) => eventOf({ ...data, type: "alarm.state.", source: data.equipment, recordedtime: data.occurred_at, data }));
		const listed = new Set(events.map(idOf));
		for (const event of events) this.changeAlarm(event);
		for (const [id, alarm] of items.length < total ? [] : this.alarms) {
			if (listed.has(id) || alarm.isLost) continue;
			if (keeps) this.alarms.delete(id);
			else Object.assign(alarm, { isLost: true, state: "not known since the restart" });
		}
		this.floor.isTold = true;
		this.dirty.add("alarms");
	}

	/** Take one event in as it came; answers how it is kept, or null if it is none or was known. */
	take(members) {
		if (typeof members?.type !== "string" || this.isKnown(members)) return null;
		const event = eventOf(members);
		const { type } = event;
		if (type === "equipment.state.changed") this.changeState(event);
		else if (type === "equipment.reading") this.read(event);
		else if (type.startsWith("alarm.") && !type.startsWith("alarm.flood.")) this.changeAlarm(event);
		else if (type === "host.metrics") this.measure(event);
		else if (/^(chain|validator|portal)\./.test(type)) this.followChain(event);
		const changed = this.floor.take(event);
		if (changed) this.dirty.add(changed);
		this.note(event);
		return event;
	}

	/** What the status document tells of `sources`: a history begins somewhere, what lasts may have begun before. */
	compare(sources) {
		for (const { equipment, machine } of sources.filter((source) => source.machine)) {
			const path = trim(equipment);
			if (!this.machines.has(path)) Object.assign(this.machine({ path, at: now() }), stateOf(machine));
			for (const [id, alarm] of this.alarms) if (alarm.isLost && alarm.path === path) this.alarms.delete(id);
		}
	}

	/** Open alarms: the most urgent first, then the oldest, which is nearest to the cause. */
	get open() {
		return [...this.alarms.values()].sort((a, b) => RANK[a.priority] - RANK[b.priority] || a.since - b.since);
	}

	/** How many events did not come, of the channels where each one counts. */
	get lost() {
		const each = [...this.places].filter(([channel]) => !/^(host|portal|readings)\//.test(channel));
		return each.reduce((sum, [, { first, last, count }]) => sum + Math.max(0, last - first + 1 - count), 0);
	}

	/** How many alarms were raised in the last ten minutes. */
	get recent() {
		this.raised = this.raised.filter((at) => at > now() - TRAILING);
		return this.raised.length;
	}

	// A critical event overtakes others of its channel: positions do not always come in order.
	// One from before the link opened says nothing of what lies between: what is counted begins with another's.
	isKnown({ channel, offset, priority }) {
		const [epoch, number] = text(offset).split(":");
		const position = Number(number);
		if (!channel || !Number.isFinite(position)) return false;
		let place = this.places.get(channel);
		if (place?.epoch !== epoch) place = { epoch, first: Infinity, last: -Infinity, count: 0, seen: new Set() };
		if (place.seen.has(position)) return true;
		place.at = now();
		place.seen.add(position);
		place.last = Math.max(place.last, position);
		if (position < place.first && priority !== "critical") {
			place.count = [...place.seen].filter((each) => each >= position).length;
			place.first = position;
		} else if (position >= place.first) place.count += 1;
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
		machine.came = mono();
		machine.version += 1;
		store(this.machines, path, machine, LIMITS.machines);
		this.dirty.add("machines");
		return machine;
	}

	changeState(event) {
		const machine = this.machine(event);
		const { data, at, members } = event;
		if (at < machine.told) return;
		Object.assign(machine, {
			told: at,
			since: believed(data.since ?? members.time, event),
			...stateOf(data),
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
		const [key, code] = [keyOf(event), text(data.code)];
		const id = idOf(event);
		const known = this.alarms.get(id);
		const [epoch, position] = text(members.offset).split(":");
		// A fault overtakes the clearance that was told before it.
		if (known?.epoch === epoch && known.position > Number(position)) return;
		// What the gateway says of itself makes it no machine.
		if (!path.startsWith("andond/")) this.machine(event);
		this.dirty.add("alarms");
		this.changes += 1;
		// Whoever decides about alarms says when one is no longer to be seen; where nobody does, the machine does.
		const isDecided = type.startsWith("alarm.state.");
		if (isDecided ? data.retain === false || OUT_OF_SIGHT.includes(data.state) : type === "alarm.cleared" && !known?.isDecided)
			return void this.alarms.delete(id);
		if (type === "alarm.cleared") return;
		if (!known && this.raised.push(at) > LIMITS.alarms) this.raised.shift();
		const level = text(data.level).toUpperCase();
		const name = key.startsWith("alarm.") ? "" : key;
		const alarm = { id, path, key: name, code, level, at, epoch, position: Number(position), isStray: !(data.modelled ?? !known?.isStray) };
		// What has returned to normal waits for no more than somebody who has seen it.
		const isBack = data.active_state === false;
		alarm.priority = isBack ? "high" : level === "FAULT" ? "critical" : isDecided ? (known?.priority ?? event.priority) : event.priority;
		alarm.state = isDecided ? text(data.state) : (known?.state ?? "");
		alarm.isDecided = isDecided || Boolean(known?.isDecided);
		alarm.level ||= known?.level ?? "";
		alarm.since = known?.since ?? believed(isBack ? data.occurred_at : (data.source_time ?? data.since ?? members.time), event);
		alarm.text = text(data.text) || known?.text || name || (code ? `code ${code}` : "alarm without text");
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
		known.came = mono();
		store(this.chain, type, known, LIMITS.chain);
		const key = text(data.validator ?? data.peerId ?? data.txHash);
		const { beat = new Beat() } = known.get(key) ?? {};
		beat.hit(at);
		store(known, key, { key, data, at, beat }, LIMITS.chain);
		this.dirty.add("chain");
	}
}

function eventOf(members) {
	const { type, data } = members;
	return {
		members,
		type,
		at: moment(members.recordedtime) ?? now(),
		path: trim(members.source),
		subject: text(members.subject),
		priority: members.priority in RANK ? members.priority : "normal",
		quality: text(members.quality),
		data: data !== null && typeof data === "object" ? data : {},
		isPeriodic: /^(host|portal|canary)\.|^equipment\.reading/.test(type),
	};
}

/** What `data` says of a machine: what stops it comes first, then the word of its own control, then ours. */
export function stateWord(data) {
	if (data.emergencyStop === "TRIGGERED") return "EMERGENCY STOP";
	if (data.availability === "UNAVAILABLE") return "UNAVAILABLE";
	return (text(data.execution) || text(data.state)).replaceAll("_", " ").toUpperCase();
}

const stateOf = (data) => ({ state: stateWord(data), class: lookOf(stateWord(data), data.class) });

// An alarm that nobody named has the name that the gateway gives it.
const keyOf = ({ data, subject, type }) => text(data.key) || subject || type;
const idOf = (event) => JSON.stringify([event.path, keyOf(event), text(event.data.code)]);

// Past `limit` what was heard of longest ago goes.
function store(map, key, value, limit) {
	map.set(key, value);
	if (map.size <= limit) return;
	let [[oldest, found]] = map;
	for (const [name, one] of map) if (one.at < found.at) [oldest, found] = [name, one];
	map.delete(oldest);
}
