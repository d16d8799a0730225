/* Small drawings: marks for states and priorities, curves, ribbons.

   Every meaning has a shape of its own and a word beside it; colour only repeats it (WCAG 1.4.1). */
import { now } from "./clock.js";
import { draw, find, put, set } from "./elements.js";

const MARKS = {
	executing: "M5 3 21 12 5 21Z",
	idle: "M12 3A9 9 0 1 0 12.01 3ZM12 6.5A5.5 5.5 0 1 1 11.99 6.5Z",
	held: "M4 3H10V21H4ZM14 3H20V21H14Z",
	unknown: "M12 2 22 12 12 22 2 12ZM12 5.5 5.5 12 12 18.5 18.5 12Z",
	critical: "M8 2H16L22 8V16L16 22H8L2 16V8ZM10.6 6V14H13.4V6ZM10.6 16V18.6H13.4V16Z",
	high: "M12 2 23 21H1ZM10.8 9V15H13.2V9ZM10.8 16.4V18.8H13.2V16.4Z",
	normal: "M12 6A6 6 0 1 0 12.01 6Z",
	low: "M12 9A3 3 0 1 0 12.01 9Z",
	good: "M2.5 12.5 5 10 9.5 14.5 19 5 21.5 7.5 9.5 19.5Z",
	bad: "M5 2.5 12 9.5 19 2.5 21.5 5 14.5 12 21.5 19 19 21.5 12 14.5 5 21.5 2.5 19 9.5 12 2.5 5Z",
	waiting: "M3 10H7V14H3ZM10 10H14V14H10ZM17 10H21V14H17Z",
};
const WIDTH = 120;
const HEIGHT = 32;
const RIBBON = 3600; // seconds

/** The mark that stands for `meaning`. */
export function mark(meaning = "unknown") {
	const drawing = draw("svg", { viewBox: "0 0 24 24", "aria-hidden": true }, draw("path", { "fill-rule": "evenodd" }));
	remark(drawing, meaning);
	return drawing;
}

/** Let the mark `drawing` stand for `meaning`. */
export function remark(drawing, meaning) {
	if (drawing.meaning === meaning) return;
	drawing.meaning = meaning;
	set(drawing, "class", `mark is-${meaning}`);
	set(drawing.firstChild, "d", MARKS[meaning]);
}

/** Let the chip `id` say `words` with the mark of `meaning`. */
export function tell(id, meaning, words, state = meaning) {
	const chip = find(id);
	set(chip, "data-state", state);
	remark(chip.firstChild, meaning);
	put(chip.lastChild, words);
}

function stretched(name, width, height, ...children) {
	const attributes = { class: name, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": true };
	return draw("svg", attributes, ...children);
}

/** An empty curve. */
export const curve = () => stretched("curve", WIDTH, HEIGHT, draw("path", {}));

/** Draw `points` (moment, value) of the `seconds` before `end`; `top` is the value at the upper edge. */
export function plot(drawing, points, end, seconds, top) {
	const shown = points.filter(([at]) => at > end - seconds);
	const highest = top ?? Math.max(1e-9, ...shown.map(([, value]) => value)) * 1.15;
	let before = 0;
	let path = "";
	for (const [at, value] of shown) {
		const x = (WIDTH - ((end - at) / seconds) * WIDTH).toFixed(1);
		const y = (HEIGHT - (Math.min(value, highest) / highest) * (HEIGHT - 2)).toFixed(1);
		// Where nothing came the curve is broken: a line there would be made up.
		if (at - before > seconds / 20) path += `${path && `V${HEIGHT}`}M${x} ${HEIGHT}`;
		path += `L${x} ${y}`;
		before = at;
	}
	set(drawing.firstChild, "d", path && `${path}V${HEIGHT}`);
}

/** An empty ribbon. */
export const ribbon = () => stretched("ribbon", RIBBON, 1);

/** Draw `changes` (at, class) of the last hour as bands, known until `end`. */
export function band(drawing, changes, end) {
	const start = now() - RIBBON;
	const bands = changes.map((change, index) => {
		const from = Math.max(change.at, start);
		const width = Math.max(0, Math.min(changes[index + 1]?.at ?? end, end) - from);
		return draw("rect", { x: from - start, width, height: 1, class: `is-${change.class}` });
	});
	drawing.replaceChildren(...bands);
}
