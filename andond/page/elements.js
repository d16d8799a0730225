/* Elements: made, changed, kept in order.

   What strangers wrote goes in as text, never as markup. */
export const find = (id) => document.getElementById(id);

/** A new element of class `name` with `children`, strings among them as text. */
export function make(tag, name = "", ...children) {
	const element = document.createElement(tag);
	if (name) element.className = name;
	element.append(...children);
	return element;
}

/** A new SVG element. */
export function draw(tag, attributes, ...children) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
	element.append(...children);
	return element;
}

/** Let `element` say `text`. */
export function put(element, text) {
	if (element.said === text) return;
	element.said = text;
	element.textContent = text;
}

/** Let the attribute `name` of `element` be `value`. */
export function set(element, name, value) {
	if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Let `parent` have one child for each of `items`, in their order; a child that stays is only updated. */
export function keep(parent, items, keyOf, create, update = () => {}) {
	const before = parent.kept ?? new Map();
	const after = (parent.kept = new Map());
	for (const item of items) after.set(keyOf(item), before.get(keyOf(item)) ?? create(item));
	for (const [key, child] of before) if (!after.has(key)) child.remove();
	let place = parent.firstElementChild;
	for (const item of items) {
		const child = after.get(keyOf(item));
		// Only what is out of its place moves: a moved element loses the focus.
		if (child === place) place = place.nextElementSibling;
		else parent.insertBefore(child, place);
		update(child, item);
	}
}

/** What is not empty of `words`, in one line. */
export const joined = (words, by = " · ") => words.filter(Boolean).join(by);

/** `words` that may break behind each of their dots. */
export const soft = (words) => words.split(/(?<=\.)/).flatMap((part) => [part, make("wbr")]);

/** `count` things called `word`. */
export const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
