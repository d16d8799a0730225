/* What comes from elsewhere, as words for people. */
/** `value` as a string; objects as JSON, nothing as the empty string. */
export function text(value) {
	return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
}

/** A path without slashes around it. */
export const trim = (path) => text(path).replace(/^\/+|\/+$/g, "");
