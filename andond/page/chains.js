/* The chains that are watched, as the status document tells them: how each is, whom it has in jail, which node does not count.

   What is wrong stands in the header too: a chain that halts is not to be found out by reading events. */
import { moment } from "./clock.js";
import { counted, find, joined, keep, set } from "./elements.js";
import { createLine, fillLine, shown } from "./figures.js";
import { tell } from "./shapes.js";

const SIGNS = { live: "good", stale: "high", halted: "critical" };
const FEW = 2; // troubles, named in the header

/** Show `chains`, told at `at` (the gateway's clock). */
export function showChains(chains, at) {
	const troubles = chains.flatMap(troublesOf);
	const worst = troubles.some(([meaning]) => meaning === "critical") ? "critical" : troubles.length ? "high" : "good";
	const rest = troubles.length - FEW;
	const words = troubles.sort(([a], [b]) => (b === "critical") - (a === "critical")).slice(0, FEW).map(([, word]) => word);
	find("chains").hidden = !chains.length;
	tell("chains", worst, joined([...words, rest > 0 && `${rest} more`], ", ") || `${counted(chains.length, "chain")} live`);
	keep(find("chain-states"), chains.flatMap((chain) => linesOf(chain, at)), ({ key }) => key, createLine, (row, { line }) => {
		fillLine(row, ...line);
		set(row, "class", `line alarm-${line[0]}`);
	});
}

/** The word for a chain that is not live; empty for one that is, or that is not known. */
export const stateOf = (chain) => (!chain || chain.state === "live" ? "" : chain.state.toUpperCase());

function troublesOf({ chain, state, jailed, nodes }) {
	const away = nodes.filter((node) => node.state !== "fresh");
	return [
		state !== "live" && [SIGNS[state], `${chain} ${state.toUpperCase()}`],
		...jailed.filter(({ watched }) => watched).map(({ text }) => ["critical", text]),
		away.length && ["high", `${chain}: ${away.length} of ${counted(nodes.length, "node")} ${away[0].state}`],
	].filter(Boolean);
}

function linesOf(chain, at) {
	const { chain: name, state, headHeight, headAgeMs, validators, jailed, nodes } = chain;
	const counts = Object.entries(validators).map(([word, count]) => count && `${shown(count)} ${word.toLowerCase()}`);
	const words = [stateOf(chain) || "live", headHeight !== null && `height ${shown(headHeight)}`, ...counts];
	return [
		{ key: name, line: [SIGNS[state], name, words, headAgeMs === null ? null : at - headAgeMs / 1000] },
		...jailed.map(({ validator, text, operator, since, sinceAt, watched }) => ({
			key: `${name} ${validator}`,
			line: [watched ? "critical" : "high", text, [watched && "watched", since !== null && `since height ${shown(since)}`, operator ?? validator], moment(sinceAt)],
		})),
		...nodes.filter((node) => node.state !== "fresh").map((node) => ({
			key: `${name} node ${node.name}`,
			line: ["high", node.name, ["node", node.state, node.fault], node.silenceMs === null ? null : at - node.silenceMs / 1000],
		})),
	];
}
