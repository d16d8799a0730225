/* The link to the gateway: one WebSocket in the native protocol, kept up.

   It is live only once it has heard something, and asks when nothing comes. A reconnect waits a random time up to a
   bound that doubles, at most a second when the network or the tab comes back: a thousand boards must not come at once.
   An act is sent again, with its key, until somebody answers it. */
import { mono } from "./clock.js";

const SHORTEST = 0.5;
const LONGEST = 20;
const OPENING = 10; // seconds for the handshake
const ASK = 1.5; // seconds of silence after which we ask
const SILENCE = 5; // after which what is shown is old
const NOT_ANSWERED = 10; // seconds after which an act is sent again
const SEEN = 500; // ids that were told to be shown

/** Follows what `channels` returns, once it is to `connect()`; calls `onEvent` for each event and `onState` for each change between connecting, live, lost. */
export class Link {
	state = "connecting";
	heard = null; // when anything last told that the gateway is there
	failures = 0;
	retryAt = null;
	acts = new Map(); // by key, those that nobody has answered
	critical = null; // position of the newest critical event
	unshown = new Set();
	isHeld = true; // until it is known that somebody may be let in

	constructor(address, channels, onEvent, onState) {
		Object.assign(this, { address, channels, onEvent, onState });
		addEventListener("online", () => this.soon());
		addEventListener("offline", () => this.become("lost"));
		document.addEventListener("visibilitychange", () => document.hidden || this.soon());
	}

	/** Open a new socket, in place of one that is there. */
	connect() {
		this.drop();
		this.retryAt = null;
		this.isHeld = this.isConnected = false;
		this.opened = this.asked = mono();
		this.waiting = new Map();
		const socket = (this.socket = new WebSocket(this.address, "andond.v1.json"));
		socket.onopen = () => this.socket === socket && this.introduce();
		socket.onmessage = ({ data }) => this.socket === socket && this.receive(JSON.parse(data));
		socket.onclose = socket.onerror = () => this.socket === socket && this.closed();
	}

	/** Try no more until `connect()`: the gateway lets nobody in who is not signed in. */
	hold() {
		this.drop();
		this.retryAt = null;
		this.isHeld = true;
		this.become("lost");
	}

	/** Do `body` at the plant: answers with the reply's own word, or `{ error }` if it is refused for good. */
	act(body) {
		const key = body.key ?? makeKey();
		return new Promise((answer) => {
			this.acts.set(key, { body: { ...body, key }, answer });
			this.sendAct(key);
		});
	}

	/** Say that a person can see the events with `ids`. */
	show(ids) {
		for (const id of ids) this.unshown.add(id);
		if (this.unshown.size > SEEN) this.unshown = new Set([...this.unshown].slice(-SEEN));
		if (!this.isConnected || !this.unshown.size) return;
		this.send({ shown: [...this.unshown] });
		this.unshown.clear();
	}

	/** Seconds until the next try; null while none is planned. */
	get wait() {
		return this.retryAt && Math.max(0, this.retryAt - mono());
	}

	/** Look at the clock; called a few times a second. */
	tick() {
		const at = mono();
		if (this.isHeld) return;
		if (this.retryAt !== null) return at >= this.retryAt && this.connect();
		if (!this.isConnected) return at - this.opened > OPENING && this.closed();
		for (const [key, { sent }] of this.acts) if (at - sent > NOT_ANSWERED) this.sendAct(key);
		const silent = at - Math.max(this.heard, this.opened);
		if (silent > ASK && at - this.asked > ASK) {
			this.asked = at;
			this.ask({ ping: {} });
		}
		if (silent > 2 * SILENCE) this.closed();
		else if (silent > SILENCE) this.become("lost");
	}

	introduce() {
		const resume = this.critical ? { resume: { critical: this.critical, channels: {} } } : {};
		this.ask({ connect: { client: "andond-page/1", ...resume } }, () => {
			this.isConnected = true;
			this.failures = 0;
			for (const [channel, latest] of this.channels()) this.ask({ subscribe: { channel, latest } });
			for (const key of this.acts.keys()) this.sendAct(key);
			this.show([]);
		});
	}

	receive(message) {
		const { id, push } = message;
		if (id !== undefined) {
			const answered = this.waiting.get(id);
			this.waiting.delete(id);
			answered?.(message);
		} else if (push === "event") this.take(message);
		else if (push === "gap") this.onEvent(message);
		else if (push === "disconnect") this.delay = message.delay_ms / 1000;
		this.hear();
	}

	take({ priority, event }) {
		const { criticaloffset } = event;
		if (criticaloffset) {
			this.critical = criticaloffset;
			this.send({ ack: { critical: criticaloffset } });
		}
		this.onEvent({ ...event, priority });
	}

	sendAct(key) {
		const { body } = this.acts.get(key);
		this.acts.get(key).sent = mono();
		if (!this.isConnected) return;
		this.ask({ act: body }, (reply) => {
			const act = this.acts.get(key);
			// Nobody can say yet: with the same key it is done once.
			if (!act || reply.error?.temporary) return;
			this.acts.delete(key);
			act.answer(reply.error ? { error: reply.error } : reply.act);
		});
	}

	ask(command, answered = () => {}) {
		const id = (this.number = (this.number ?? 0) + 1);
		this.waiting.set(id, answered);
		this.send({ id, ...command });
	}

	send(command) {
		if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(command));
	}

	hear() {
		this.heard = mono();
		this.become("live");
	}

	closed() {
		this.drop();
		const bound = Math.min(LONGEST, 2 ** this.failures);
		this.failures += 1;
		this.retryAt = mono() + (this.delay || SHORTEST + Math.random() * (bound - SHORTEST));
		this.delay = 0;
		this.become("lost");
	}

	soon() {
		this.failures = 0;
		if (this.retryAt !== null) this.retryAt = Math.min(this.retryAt, mono() + Math.random());
		this.tick();
	}

	drop() {
		const { socket } = this;
		this.socket = null;
		this.isConnected = false;
		socket?.close();
	}

	become(state) {
		if (this.state === state) return;
		this.state = state;
		this.onState(state);
	}
}

// randomUUID() is kept from pages that come without TLS, as most of a plant's do.
function makeKey() {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
