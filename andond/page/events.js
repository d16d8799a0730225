/* The event stream, newest first: held, filtered, opened.

   A bounded number of rows whatever the rate. */
import { age, timeOfDay } from "./clock.js";
import { find, joined, keep, make, put, set, soft } from "./elements.js";
import { RANK, stateWord } from "./model.js";
import { mark } from "./shapes.js";
import { text } from "./words.js";

const ROWS = 150;
const WORDS = 200;

/** The panel; `again` is called when it wants to be shown again. */
export class Events {
	priorities = new Set(Object.keys(RANK));
	sought = "";
	periodic = false;
	held = null; // the events as they were when the list was held
	came = 0;

	constructor(model, again) {
		Object.assign(this, { model, again });
		for (const button of find("filters").querySelectorAll("button"))
			button.addEventListener("click", () => set(button, "aria-pressed", this.press(button.value)));
		find("search").addEventListener("input", ({ target }) => {
			this.sought = target.value.toLowerCase();
			this.refresh();
		});
	}

	/** Show what passes the filter. */
	show() {
		const fresh = this.came - this.heldAt;
		put(find("hold"), this.held ? `Go on${fresh ? `: ${fresh} more` : ""}` : "Hold");
		put(find("lost"), this.model.lost ? `${this.model.lost} did not come` : "");
		if (this.held && this.isShown) return;
		this.isShown = true;
		const events = this.passing();
		keep(find("event-rows"), events, (event) => event, createRow);
		find("no-events").hidden = events.length > 0;
	}

	passing() {
		const { lines, periodic } = this.held ?? this.model;
		const events = this.periodic ? [...lines, ...periodic].sort((a, b) => a.at - b.at) : lines;
		return events.filter((event) => this.passes(event)).slice(-ROWS).reverse();
	}

	passes(event) {
		if (!this.priorities.has(event.priority)) return false;
		if (!this.sought) return true;
		event.words ??= `${event.type} ${event.path} ${event.subject} ${summary(event)}`.toLowerCase();
		return event.words.includes(this.sought);
	}

	press(name) {
		this.refresh();
		if (name === "periodic") return (this.periodic = !this.periodic);
		if (name in RANK) return !this.priorities.delete(name) && Boolean(this.priorities.add(name));
		const { lines, periodic } = this.model;
		this.held = this.held ? null : { lines: [...lines], periodic: [...periodic] };
		this.heldAt = this.came;
		return this.held !== null;
	}

	refresh() {
		this.isShown = false;
		this.again();
	}
}

function createRow(event) {
	const from = make("span", "from muted", joined([event.path, event.subject]));
	const head = make("summary", "", make("span", "unseen", event.priority), mark(event.priority), make("span", "", timeOfDay(event.at)));
	head.append(make("strong", "type", ...soft(event.type)), from, make("span", "words", summary(event)), age(event.at));
	const details = make("details", "", head);
	details.addEventListener("toggle", () => {
		if (details.children.length === 1) details.append(make("pre", "", JSON.stringify(event.members, null, 2)));
	});
	return make("li", `event alarm-${event.isPeriodic ? "low" : event.priority}`, details);
}

// When and by whom it was said stands beside it; what is not known says nothing in a line.
const BESIDE = "timestamp source method observedAt ageMs confirmedBy chain reasons provenance".split(" ");
const isTelling = ([name, value]) => (value ?? null) !== null && !BESIDE.includes(name);

/** What `event` says, in one line. */
export function summary({ type, data, members }) {
	let words = text(data.text) || text(data.message);
	if (type === "equipment.state.changed") words = joined([stateWord(data.previous ?? {}), stateWord(data)], " → ");
	else if (type.startsWith("alarm.")) words = joined([data.level, words, data.key, data.code].map(text), " ");
	else if (data === members.data) words ||= joined(Object.entries(data).filter(isTelling).map(([name, value]) => `${name} ${text(value)}`));
	words ||= text(members.data);
	if (members.sampledrate > 1) words += ` (stands for ${text(members.sampledrate)})`;
	return words.length > WORDS ? `${words.slice(0, WORDS)}…` : words;
}
