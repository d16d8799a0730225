/* The Andon board: the open calls, the most urgent first, with what can be done about each in one tap.

   A tap is pending until the gateway has answered, which is when the disk has it; what is refused says why. A call's
   state is what was told, never what was tapped. */
import { ACTS } from "./acts.js";
import { now, watch } from "./clock.js";
import { counted, find, joined, keep, make, put, set } from "./elements.js";
import { asOf, placeOf } from "./figures.js";
import { OPEN, URGENCY, WAITING } from "./floor.js";
import { STRAY } from "./machines.js";
import { mark, remark } from "./shapes.js";

const STEPS = ["raised", "acknowledged", "in_progress", "resolved"];
const wordOf = (state) => (state === "in_progress" ? "arrived" : state);
const SIGNS = { critical: "critical", high: "high", medium: "normal", low: "low" };
const SHOWN = 30;
const NOT_ALLOWED = 103;

/** The panel; acts go by `link`, where `account` may do them. */
export class Board {
	pending = new Map(); // by call: the act that nobody has answered
	refused = new Map(); // by call: why
	denied = new Map(); // by call and act, as long as the link lasts: why one may not

	constructor(floor, link, account, sound, again) {
		Object.assign(this, { floor, link, account, sound, again });
		const who = find("who");
		who.value = stored() ?? "";
		who.addEventListener("change", () => who.readOnly || stored(who.value.trim()));
		find("sound").addEventListener("click", () => {
			sound.silence(floor.waiting);
			again();
		});
	}

	/** Show the calls. */
	show() {
		const { shown, waiting } = this.floor;
		const open = shown.filter(({ state }) => OPEN.includes(state));
		const worst = Object.keys(URGENCY).find((word) => waiting.some(({ priority }) => priority === word));
		set(find("board"), "data-worst", worst ?? "");
		put(find("calls-count"), open.length || "");
		put(find("calls-words"), joined([waiting.length && `${waiting.length} not acknowledged`, open.length > SHOWN && `the ${SHOWN} most urgent`]));
		find("no-calls").hidden = shown.length > 0;
		put(find("no-calls"), this.floor.isTold ? "No call is open." : "Not known yet.");
		keep(find("call-rows"), shown.slice(0, SHOWN), ({ id }) => id, (call) => this.create(call), (row, call) => this.update(row, call));
		this.showSound(waiting);
	}

	/** The ids of the events whose calls a person can see. */
	get visible() {
		return this.floor.shown.slice(0, SHOWN).map(({ event }) => event).filter(Boolean);
	}

	showSound(waiting) {
		const { sound } = this;
		const silent = waiting.length > 0 && !sound.isWanted;
		find("sound-off").hidden = sound.isFree;
		find("sound").hidden = !sound.isFree || !waiting.length;
		set(find("sound"), "aria-pressed", silent);
		put(find("sound"), silent ? "Sound again" : "Silence");
	}

	create({ id, path }) {
		const parts = {
			mark: mark(), title: make("strong"), level: make("span", "first"), stops: make("span", "first loud", "line stop"), stray: make("p", "waiting", STRAY),
			text: make("p", "said"), total: watch(), state: make("span", "phase"), steps: make("ol", "steps"),
			who: make("p", "muted"), word: make("p", "loud"), bound: make("p", "muted"), buttons: {},
		};
		for (const state of STEPS) parts.steps.append(make("li", "", mark(), make("span", "", wordOf(state)), make("span", "muted")));
		const acts = make("div", "acts");
		for (const [name, { word }] of Object.entries(ACTS)) {
			const button = (parts.buttons[name] = make("button", `act-${name}`, word));
			button.addEventListener("click", () => this.tap(id, name));
			acts.append(button);
		}
		const head = make("header", "", parts.mark, parts.title, parts.level, parts.stops);
		const row = make("li", "call", head, make("p", "clock", parts.total, parts.state), placeOf(path), parts.stray, parts.text, parts.steps, parts.who, parts.word, parts.bound, asOf(), acts);
		row.parts = parts;
		return row;
	}

	update(row, call) {
		const { parts } = row;
		const { state, priority, took } = call;
		const isOpen = OPEN.includes(state);
		set(row, "class", `call alarm-${SIGNS[priority]} ${isOpen ? (WAITING.includes(state) ? "waits" : "taken") : "over"}`);
		remark(parts.mark, isOpen ? SIGNS[priority] : "good");
		put(parts.title, `${priority} ${call.title}`);
		put(parts.level, call.level ? `level ${call.level}` : "");
		parts.level.hidden = !call.level;
		parts.stops.hidden = !call.stops;
		parts.stray.hidden = !call.isStray;
		put(parts.text, call.text);
		parts.total.tellFrom(call.raisedAt, isOpen ? null : call.at);
		put(parts.state, wordOf(state));
		showSteps(parts.steps, state, took);
		put(parts.who, joined([call.assigned && `for ${call.assigned}`, lastOf(call, this.floor.told.get(call.id))]));
		this.showActs(call, parts);
	}

	showActs({ id, state, path }, { buttons, word, bound }) {
		const pending = this.pending.get(id);
		let elsewhere = [];
		for (const [name, act] of Object.entries(ACTS)) {
			const button = buttons[name];
			const isPending = pending === name;
			const places = act.from.includes(state) ? this.account.places(`andon.${name}`) : [];
			const isHere = places.some((place) => place === "*" || `${path}/`.startsWith(`${place}/`));
			if (!isHere) elsewhere = [...elsewhere, ...places];
			button.hidden = !isHere && !isPending;
			const reason = this.denied.get(`${id} ${name}`) ?? "";
			button.disabled = Boolean(pending || reason);
			set(button, "title", reason);
			set(button, "aria-busy", isPending);
			put(button, isPending ? `${act.doing} …` : act.word);
		}
		put(bound, elsewhere.length ? `You answer calls at ${[...new Set(elsewhere)].join(", ")}, not here.` : "");
		const refusal = this.refused.get(id);
		put(word, pending && this.link.state !== "live" ? "Not sent yet: there is no link. It goes out when the link is back." : (refusal ?? ""));
	}

	async tap(id, name) {
		const who = find("who");
		if (!who.value.trim()) {
			this.refused.set(id, "Say who you are first: the field is above the calls.");
			who.focus();
			return void this.again();
		}
		this.pending.set(id, name);
		this.refused.delete(id);
		this.again();
		const at = new Date(now() * 1000).toISOString();
		const { error, kept } = (await this.link.act({ type: `andon.${name}`, call: id, by: who.value.trim(), at })) ?? {};
		this.pending.delete(id);
		if (error?.code === NOT_ALLOWED) this.denied.set(`${id} ${name}`, error.message);
		if (error) this.refused.set(id, `Not done: ${error.message}`);
		else if (kept === false) this.refused.set(id, "Done, and everybody was told; the disk does not take it yet.");
		this.again();
	}
}

function showSteps(list, state, took) {
	const reached = STEPS.indexOf({ notified: "raised", closed: "resolved" }[state] ?? state);
	STEPS.forEach((name, number) => {
		const [sign, , when] = list.children[number].children;
		const isDone = number <= reached;
		set(list.children[number], "class", isDone ? "done" : "");
		remark(sign, isDone ? "good" : "waiting");
		put(when, took[name] ?? "");
	});
}

// What happened last, in words.
function lastOf({ deed, by, level }, told) {
	const at = level ? `, level ${level}` : "";
	if (deed === "arrived") return by && `${by} is there`;
	if (deed !== "notified" && by !== "escalation") return by && `${deed} by ${by}`;
	if (told?.level !== level) return deed === "notified" ? `told ${by.replaceAll("_", " ")}${at}` : `went on to level ${level}`;
	if (!told.to) return `nobody to tell${at}${told.off && `: no ${told.off} on shift`}`;
	return told.failed && !told.isSent ? `could not tell ${told.to}${at}: ${told.failed}` : `told ${told.to}${at}`;
}

// A board that is not let keep anything asks anew.
function stored(name) {
	try {
		if (name !== undefined) localStorage.setItem("andond.who", name);
		return localStorage.getItem("andond.who");
	} catch {
		return null;
	}
}
