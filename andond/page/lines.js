/* The lines: state, OEE and how much of the time it rests on.

   What is not defined is a dash, never nought. Where too little is known the figure is a range: if all that is unknown
   had stood still, and if it had run. */
import { age, stamp } from "./clock.js";
import { find, joined, keep, make, put, set } from "./elements.js";
import { asOf, placeOf } from "./figures.js";
import { lookOf } from "./floor.js";
import { mark, remark } from "./shapes.js";
import { text } from "./words.js";

const COVERED = 0.9; // share of the time from which a figure stands alone

/** Show the lines; `calls` are those that are open. */
export function showLines(floor, calls) {
	const lines = [...floor.lines.values()].sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
	find("lines").hidden = lines.length === 0;
	put(find("lines-count"), lines.length || "");
	keep(find("line-tiles"), lines, ({ path }) => path, createTile, (tile, line) => {
		updateTile(tile, line, calls.filter(({ path }) => path === line.path || path.startsWith(`${line.path}/`)).length);
	});
}

function createTile({ path }) {
	const parts = {
		mark: mark(), state: make("span"), since: age(), oee: make("b"), coverage: make("p", "muted"), elements: make("p", "muted"),
		calls: make("p", "loud"), told: age(), note: make("p", "waiting"),
	};
	parts.figure = make("p", "oee", make("span", "muted", "OEE "), parts.oee, " ", parts.told);
	const tile = make("li", "tile", placeOf(path), make("p", "now", parts.mark, parts.state), make("p", "for", parts.since), parts.calls, parts.figure);
	tile.append(parts.coverage, parts.elements, parts.note, asOf());
	return Object.assign(tile, { parts });
}

function updateTile({ parts, parts: { mark: sign } }, line, calls) {
	const meaning = lookOf(line.state);
	set(sign.closest(".tile"), "class", `tile is-${meaning} ${meaning === "critical" ? "alarm-critical" : ""}`);
	remark(sign, meaning);
	put(parts.state, (line.state || "unknown").replaceAll("_", " ").toUpperCase());
	stamp(parts.since, line.since ?? null);
	put(parts.calls, calls ? `${calls} open call${calls === 1 ? "" : "s"}` : "");
	parts.figure.hidden = !line.oee;
	for (const [name, words] of Object.entries(oeeOf(line.oee ?? {}))) put(parts[name], words);
	stamp(parts.told, line.oeeAt ?? null);
}

/** What is shown of the OEE that `data` tells: the figure or its range, what it rests on, its three parts. */
export function oeeOf(data) {
	const [low, high] = data.reach?.oee ?? [];
	const { coverage } = data;
	const isThin = data.isReach ?? (typeof coverage === "number" && coverage < COVERED);
	const isRange = isThin && typeof low === "number" && typeof high === "number";
	const parts = [["A", data.availability], ["P", data.performance], ["Q", data.quality]];
	const flags = Array.isArray(data.flags) ? data.flags.map(({ flag }) => text(flag)) : [];
	return {
		oee: isRange ? `${percent(low)}–${percent(high)} %` : typeof data.oee === "number" ? `${percent(data.oee)} %` : "-",
		coverage: typeof coverage === "number" ? `${percent(coverage)} % of the time is known` : "",
		elements: parts.some(([, value]) => typeof value === "number") ? joined(parts.map(([word, value]) => `${word} ${typeof value === "number" ? `${percent(value)} %` : "-"}`)) : "",
		note: joined([isThin && !isRange && "little is known", ...flags, data.oee === null && text(data.reasons?.oee)]),
	};
}

const percent = (ratio) => (100 * ratio).toFixed(ratio < 0.0995 ? 1 : 0);
