/* What is known of the floor: its calls, its lines, its floods. No element, no socket.

   A call is what the newest of its steps says; a step that comes late changes nothing. What is over stays a moment, so
   that who pressed sees it. */
import { believed, moment, mono, now } from "./clock.js";
import { text } from "./words.js";

const LIMIT = 500;
const ASKED = 15; // seconds between two questions for one figure
const OVER = 30; // seconds that a call which is over stays
const STATES = {
	raised: "raised", reopened: "raised", notified: "notified", acknowledged: "acknowledged", arrived: "in_progress",
	resolved: "resolved", closed: "closed", cancelled: "cancelled",
};

const LOOKS = [
	[/unavail|unknown/i, "unknown"],
	[/^(not|in)[ _]?(run|exec|act|prod)/i, "idle"],
	[/(program|optional)[ _]stop|hold|held|paus|suspend|wait|interrupt|changeover|setup|maint/i, "held"],
	[/stop|down|fault|abort/i, "critical"],
	[/run|exec|active|produc/i, "executing"],
	[/idle|ready|standby|off|complete/i, "idle"],
];

/** How a state looks, wherever it is shown: by its word, else by its class. */
export const lookOf = (...words) => words.map((word) => LOOKS.find(([pattern]) => pattern.test(word))?.[1]).find(Boolean) ?? "unknown";

/** What waits for somebody to take it over. */
export const WAITING = ["raised", "notified"];
export const OPEN = [...WAITING, "acknowledged", "in_progress"];
/** How soon somebody must come, the soonest first. */
export const URGENCY = { critical: 0, high: 1, medium: 2, low: 3 };

/** Everything that the page knows of calls and lines. */
export class Floor {
	calls = new Map();
	lines = new Map();
	floods = new Map();
	told = new Map(); // by call: whom its escalation has told
	isTold = false; // whether all that is open is known

	/** Take an event in; answers the part of the page that it changes, or "". */
	take(event) {
		const { type } = event;
		if (type.startsWith("andon.call.")) return this.changeCall(event);
		if (/^(line\.status|oee|downtime)\./.test(type)) return this.changeLine(event);
		if (type.startsWith("alarm.flood.")) return this.changeFlood(event);
		return type.startsWith("escalation.") ? this.escalate(event) : "";
	}

	/** The calls to show: what is open, the most urgent first, then the oldest; what is just over comes last. */
	get shown() {
		const isOver = ({ state, at }) => !OPEN.includes(state) && now() - at > OVER;
		for (const [id, call] of this.calls) if (isOver(call)) this.calls.delete(id);
		const order = (call) => (OPEN.includes(call.state) ? (URGENCY[call.priority] ?? 2) : 9);
		return [...this.calls.values()].sort((a, b) => order(a) - order(b) || a.raisedAt - b.raisedAt);
	}

	/** The calls that nobody has taken over. */
	get waiting() {
		return [...this.calls.values()].filter(({ state }) => WAITING.includes(state));
	}

	changeCall({ type, data, at, path, subject, members }) {
		const id = String(data.call ?? data.id ?? subject);
		const word = type.slice("andon.call.".length);
		// Somebody else was first: the call is as it was.
		if (!id || word === "contested") return "";
		return this.store(data, id, path, at, word, members.id);
	}

	/** Take the calls that are open, as the gateway lists them. */
	know(calls) {
		for (const data of calls) if (!this.calls.has(data.call)) this.store({ ...data, by: data.raised_by }, data.call, data.path, now(), "raised");
	}

	store(data, id, path, at, word, event) {
		const known = this.calls.get(id);
		const step = typeof data.step === "number" ? data.step : at;
		if (known && step < known.step) return "";
		const state = data.state in STATES || OPEN.includes(data.state) ? data.state : (STATES[word] ?? known?.state ?? "raised");
		const raisedAt = moment(data.raised_at) ?? known?.raisedAt ?? at;
		const took = { ...known?.took };
		if (state !== known?.state) took[state] = text(data.by);
		this.calls.set(id, {
			id, step, state, raisedAt, at, took, event, came: mono(),
			...(word === "linked" && known ? { deed: known.deed, by: known.by } : { deed: word, by: text(data.by) }),
			isStray: data.modelled === false,
			path: text(data.path ?? path),
			title: text(data.title ?? data.type ?? "Call"),
			text: text(data.text ?? data.comment),
			priority: data.priority in URGENCY ? data.priority : "medium",
			level: Number(data.level) || 0,
			assigned: text(data.assigned_to),
			stops: data.stops_line === true,
		});
		if (this.calls.size > LIMIT) this.calls.delete(this.calls.keys().next().value);
		return "board";
	}

	escalate({ type, data: { call, level, step, told, reason, off_shift: off } }) {
		const known = this.told.get(call);
		if (type === "escalation.advanced" && step?.notify) {
			const names = (list, name) => [...new Set(Array.isArray(list) ? list.map((one) => text(one?.[name] ?? one)) : [])].join(", ").replaceAll("_", " ");
			this.told.set(call, { level, to: names(told, "target"), off: names(off) });
			if (this.told.size > LIMIT) this.told.delete(this.told.keys().next().value);
		} else if (known?.level !== level) return "";
		else if (type === "escalation.step.sent") known.isSent = true;
		else if (type === "escalation.step.failed") known.failed = text(reason);
		return "board";
	}

	/** The line whose OEE nobody tells, which was asked for longest ago; undefined if none is due. */
	get unfigured() {
		const due = [...this.lines.values()].filter(({ isFed, asked = -ASKED }) => !isFed && mono() - asked >= ASKED);
		return due.sort((a, b) => (a.asked ?? 0) - (b.asked ?? 0))[0];
	}

	changeLine({ type, data, at, path, quality, members }) {
		const line = this.lines.get(path) ?? { path };
		if (type === "oee.updated") Object.assign(line, { oee: data, oeeAt: at, isFed: true, state: line.since ? line.state : text(data.status) });
		else if (type === "line.status.changed") Object.assign(line, { state: text(data.status ?? data.state), since: believed(data.since ?? members.time, { at, quality }) });
		else if (line.at === undefined) return "";
		line.at = Math.max(line.at ?? 0, at);
		line.came = mono();
		this.lines.set(path, line);
		if (this.lines.size > LIMIT) this.lines.delete(this.lines.keys().next().value);
		return "lines";
	}

	changeFlood({ type, data, at, path }) {
		const where = text(data.position ?? path);
		if (type === "alarm.flood.ended") this.floods.delete(where);
		else this.floods.set(where, { where, at: moment(data.since) ?? at });
		return "alarms";
	}
}
