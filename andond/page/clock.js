/* What time it is at the gateway, how old things are, and when that is too old.

   Moments are Unix seconds of the gateway's clock, because a tablet's may be wrong; in between they run on the
   browser's monotonic clock. */
import { make, put } from "./elements.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const LONG = 90 * DAY; // nothing is believed to last longer
const HITS = 5; // before a beat is believed
const OUTAGE = 4; // intervals

let ahead = null; // the gateway's clock at the zero of the browser's monotonic one

/** Seconds of the browser's monotonic clock. */
export const mono = () => performance.now() / 1000;

/** The time at the gateway; the browser's until the gateway has spoken. */
export const now = () => (ahead === null ? Date.now() / 1000 : mono() + ahead);

/** The gateway said it was `at` between our `sent` and `received` (monotonic). */
export function learn(at, sent, received) {
	if (at !== null) ahead = at - (sent + received) / 2;
}

/** The moment that `value` (RFC 3339, or Unix seconds) names, or null. */
export function moment(value) {
	const at = typeof value === "string" ? Date.parse(value) / 1000 : value;
	return Number.isFinite(at) ? at : null;
}

/** When what was received `at` began: as it was `told`, unless the source's clock is off, as a replayed log's is. */
export function believed(told, { at, quality }) {
	const since = moment(told);
	return quality === "good" && since !== null && since <= at + 1 && at - since < LONG ? since : at;
}

/** `seconds` in words: 7 s, 4 min 05 s, 3 h 12 min, 2 d 4 h. */
export function span(seconds) {
	const whole = Math.max(0, Math.floor(seconds || 0));
	const pair = (size, unit, less, lesser) =>
		`${Math.floor(whole / size)} ${unit} ${String(Math.floor((whole % size) / less)).padStart(2, "0")} ${lesser}`;
	if (whole < MINUTE) return `${whole} s`;
	if (whole < HOUR) return pair(MINUTE, "min", 1, "s");
	return whole < DAY ? pair(HOUR, "h", MINUTE, "min") : pair(DAY, "d", HOUR, "h");
}

/** The time of day at `at`, where the reader is. */
export const timeOfDay = (at) => new Date(at * 1000).toLocaleTimeString([], { hourCycle: "h23" });

/** How often something comes, learned by listening; `expected` seconds until that is known. */
export class Beat {
	last = null;
	hits = 0;

	constructor(expected = null) {
		this.expected = expected;
	}

	/** It came at `at`. */
	hit(at) {
		const gap = this.last === null ? 0 : at - this.last;
		this.last = Math.max(at, this.last ?? at);
		if (gap <= 0) return;
		if (this.hits >= HITS && gap > OUTAGE * this.mean) this.hits = 0; // an outage, or a new beat
		else {
			this.mean = this.hits ? this.mean + 0.2 * (gap - this.mean) : gap;
			this.spread = this.hits ? this.spread + 0.2 * (Math.abs(gap - this.mean) - this.spread) : 0;
			this.hits += 1;
		}
	}

	/** The age from which it is late; null where it comes as it likes, so that its age means nothing. */
	get limit() {
		const interval = this.hits >= HITS && this.spread < 0.6 * this.mean ? this.mean : this.expected;
		return interval === null ? null : Math.max(3, 3 * interval);
	}
}

/** An element that tells the age of something, from `at` on. */
export function age(at = null) {
	const element = make("time", "age");
	stamp(element, at);
	return element;
}

/** Let `element` count from `at`; past `limit` seconds it looks late, and so does the value beside it. */
export function stamp(element, at, limit = null, end = null) {
	if (element.at === at && element.limit === limit && element.end === end) return;
	Object.assign(element, { at, limit, end });
	tick(element);
}

/** A running clock: `tellFrom(at)` has it run from `at` on, up to `end` if there is one. */
export function watch() {
	const element = make("time", "age watch");
	element.tellFrom = (at, end) => {
		stamp(element, at, null, end);
	};
	return element;
}

/** `seconds` as a clock shows them: 0:07, 4:05, 3:12:09. */
export function digits(seconds) {
	const whole = Math.max(0, Math.floor(seconds || 0));
	const pad = (value) => String(value).padStart(2, "0");
	const [hours, minutes] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / MINUTE)];
	return hours ? `${hours}:${pad(minutes)}:${pad(whole % MINUTE)}` : `${minutes}:${pad(whole % MINUTE)}`;
}

/** Let every age on the page be the present one. */
export const tickAll = () => document.querySelectorAll(".age").forEach(tick);

function tick(element) {
	const { at = null, limit, end } = element;
	const seconds = (end ?? now()) - at;
	if (element.tellFrom) return put(element, at === null ? "" : digits(seconds));
	const late = at !== null && limit !== null && seconds > limit;
	put(element, at === null ? "" : span(seconds) + (late ? " old" : ""));
	if (Boolean(element.late) === late) return;
	element.late = late;
	for (const one of [element, element.closest(".aged")]) one?.classList.toggle("late", late);
}
