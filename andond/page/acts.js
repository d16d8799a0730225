/* What can be done about a call: the button, its word while nobody has answered, and the states that it leads on from. */
import { WAITING } from "./floor.js";

export const ACTS = {
	acknowledge: { word: "Acknowledge", doing: "Acknowledging", from: WAITING },
	arrive: { word: "I am here", doing: "Arriving", from: [...WAITING, "acknowledged"] },
	resolve: { word: "Resolved", doing: "Resolving", from: ["in_progress"] },
};
