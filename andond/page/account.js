/* Who is signed in: asked of the gateway. A token never comes to the page, only a cookie that no script can read.

   What was shown to somebody is hidden as soon as nobody is signed in any more, and is there again for the same person. */
import { ACTS } from "./acts.js";
import { find, joined, keep, make, put } from "./elements.js";
import { tell } from "./shapes.js";

const VIEW = "andond.view";
const ANSWER = 20000; // ms: a password takes its time
const JSON_TYPE = { "content-type": "application/json" };
const AWAY = "The gateway does not answer. Try again.";

/** Shows who it is; calls `onChange` with whether anything may be read, as soon as that is said and when rights change. */
export class Account {
	told = null; // what the gateway said last
	name = null; // who was signed in last, however long ago

	constructor(onChange) {
		this.onChange = onChange;
		find("login").addEventListener("submit", (event) => this.submit(event));
		find("sign-out").addEventListener("click", () => this.leave());
		find("sign-in-open").addEventListener("click", () => this.open());
	}

	/** Whether anything may be read; unknown counts as yes, the gateway says no by itself. */
	get reads() {
		return this.told?.reads ?? true;
	}

	/** Whether anything of `kind` may be seen; unknown counts as yes, the gateway says no by itself. */
	sees(kind) {
		return this.told?.sees.includes(kind) ?? true;
	}

	/** Where `act` may be done: there and below; a star is everywhere. Unknown counts as nowhere. */
	places(act) {
		return this.told?.acts[act] ?? [];
	}

	/** Whether the gateway answers who asks for what needs `act`. */
	may(act) {
		return act in (this.told?.acts ?? {});
	}

	/** Ask who is signed in: answers with what the gateway says, or null. */
	async look() {
		const { said } = await asked("GET", "auth/session");
		if (said) this.learn(said);
		return said;
	}

	learn(said) {
		const before = this.told;
		const name = said.user?.name ?? null;
		this.told = said;
		// What another person was shown is nobody's business.
		if (name && this.name && name !== this.name) return reload();
		this.name = name ?? this.name;
		this.show(before?.user && !name ? said.ended || "Your sign-in has ended." : said.ended);
		if (!before || rightsOf(before) !== rightsOf(said)) this.onChange(said.reads);
	}

	show(why) {
		const { user, reads, standing, providers, password } = this.told;
		const hasWay = password || providers.length > 0;
		document.documentElement.dataset.account = reads ? "known" : "needed";
		find("user").hidden = find("sign-out").hidden = !user;
		if (user) tell("user", "good", joined([user.name, user.roles.join(", ").replaceAll("_", " "), user.tenant]));
		find("sign-out").hidden = user?.proof === "certificate" || !user;
		find("sign-in-open").hidden = Boolean(user) || !reads || standing === "open" || !hasWay;
		if (user || standing === "open") find("sign-in").hidden = true;
		if (!reads) this.open(why);
		tell("read-only", "idle", "read only");
		find("read-only").hidden = !reads || Object.keys(ACTS).some((act) => this.places(`andon.${act}`).length);
		// What may not be seen is not there: an empty panel would say that there is nothing.
		for (const part of document.querySelectorAll("[data-of]")) part.toggleAttribute("data-barred", !this.shows(part.dataset.of));
		const who = find("who");
		// Whoever is signed in has a name already.
		find("who-label").hidden = standing !== "open";
		who.readOnly = Boolean(user);
		if (user) who.value = user.name;
	}

	shows(words) {
		return words.split(" ").some((word) => (word.includes(".") ? this.may(word) : this.sees(word)));
	}

	open(why = "") {
		const { providers, password } = this.told;
		const isNew = find("sign-in").hidden;
		find("sign-in").hidden = false;
		const words = providers.length || password ? "Sign in to see the board." : "Nobody can sign in here yet: andond user add NAME makes a user.";
		put(find("sign-in-why"), joined([why && sentence(why), words], " "));
		keep(find("providers"), providers, ({ name }) => name, createWay);
		find("login").hidden = !password;
		if (isNew && password && !providers.length) find("login-name").focus();
	}

	async submit(event) {
		event.preventDefault();
		const [name, secret] = [find("login-name"), find("login-password")];
		put(find("login-word"), "");
		find("login-button").disabled = true;
		const login = { [name.value.includes("@") ? "email" : "username"]: name.value, password: secret.value };
		const { said, problem } = await asked("POST", "auth/session", login);
		find("login-button").disabled = false;
		secret.value = "";
		if (said) this.learn(said);
		else put(find("login-word"), sentence(problem));
	}

	async leave() {
		const { said } = await asked("POST", "auth/logout", {});
		if (said?.leave) location.assign(said.leave);
		else reload();
	}
}

const rightsOf = ({ user, reads, sees, acts }) => JSON.stringify([user?.name, user?.roles, reads, sees, acts]);

function createWay({ name, title }) {
	const way = make("a", "way", `Sign in with ${title}`);
	way.href = `auth/login?provider=${encodeURIComponent(name)}`;
	way.addEventListener("click", keepView);
	return make("li", "", way);
}

async function asked(method, address, body) {
	const more = body ? { body: JSON.stringify(body), headers: JSON_TYPE } : {};
	try {
		const answer = await fetch(address, { method, cache: "no-store", signal: AbortSignal.timeout(ANSWER), ...more });
		const said = await answer.json();
		return answer.ok ? { said } : { problem: said.detail };
	} catch {
		return { problem: AWAY };
	}
}

const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`;

function reload() {
	keepView();
	location.reload();
}

const switches = () => [...find("filters").querySelectorAll("button:not(#hold)")];

// The provider is another page: what one was looking at waits here.
function keepView() {
	const pressed = switches().map((button) => button.getAttribute("aria-pressed"));
	const view = { hash: location.hash, y: scrollY, search: find("search").value, pressed };
	try {
		sessionStorage.setItem(VIEW, JSON.stringify(view));
	} catch {
		// A browser that keeps nothing begins at the top.
	}
}

/** Bring back what one was looking at before the sign-in; answers with how far down that was. */
export function restoreView() {
	let view = null;
	try {
		view = JSON.parse(sessionStorage.getItem(VIEW));
		sessionStorage.removeItem(VIEW);
	} catch {
		return 0;
	}
	if (!view) return 0;
	history.replaceState(null, "", view.hash || location.pathname);
	find("search").value = view.search;
	find("search").dispatchEvent(new Event("input"));
	switches().forEach((button, number) => button.getAttribute("aria-pressed") !== view.pressed[number] && button.click());
	return view.y;
}
