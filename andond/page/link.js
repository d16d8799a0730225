/* The link to the gateway: one WebSocket, kept up.

   It is never called live without having heard something. A reconnect waits a random time up to a bound that doubles
   (full jitter), at most a second when the network or the tab comes back: a thousand boards must not come at once. */
import { mono } from "./clock.js";

const SHORTEST = 0.5;
const LONGEST = 20;
const OPENING = 10; // seconds for the handshake
const SILENCE = 3; // while something comes each second
const QUIET = 7; // while only the status document tells that the gateway is there

/** Follows `address`; calls `onText` for each message and `onState` for each change between connecting, live, lost. */
export class Link {
	state = "connecting";
	heard = null; // when anything last told that the gateway is there
	interval = null; // seconds between messages that come steadily
	failures = 0;
	retryAt = null;

	constructor(address, onText, onState) {
		Object.assign(this, { address, onText, onState });
		this.connect();
		addEventListener("online", () => this.soon());
		addEventListener("offline", () => this.become("lost"));
			document.addEventListener("visibilitychange", () => document.hidden || this.soon());
	}

	/** Open a new socket, in place of one that is there. */
	connect() {
		this.drop();
		this.retryAt = this.interval = null;
		this.opened = mono();
		const socket = (this.socket = new WebSocket(this.address, "cloudevents.json"));
		socket.onmessage = ({ data }) => {
			if (this.socket !== socket) return;
			this.failures = 0;
			this.onText(data);
			this.hear();
		};
		socket.onclose = socket.onerror = () => this.socket === socket && this.closed();
	}

	/** The status document came: a sign of life where nothing else comes steadily. */
	answered() {
		if (this.socket?.readyState === WebSocket.OPEN && this.interval === null) this.hear();
	}

	/** Seconds until the next try; null while none is planned. */
	get wait() {
		return this.retryAt && Math.max(0, this.retryAt - mono());
	}

	/** Look at the clock; called a few times a second. */
	tick() {
		const at = mono();
		if (this.retryAt !== null) return at >= this.retryAt && this.connect();
		if (this.socket.readyState === WebSocket.CONNECTING) return at - this.opened > OPENING && this.closed();
		const limit = this.interval === null ? QUIET : Math.max(SILENCE, 2.5 * this.interval);
		const silent = at - Math.max(this.heard, this.opened);
		if (silent > 2 * limit) this.closed();
		else if (silent > limit) this.become("lost");
	}

	hear() {
		this.heard = mono();
		this.become("live");
	}

	closed() {
		this.drop();
		const bound = Math.min(LONGEST, 2 ** this.failures);
		this.failures += 1;
		this.retryAt = mono() + SHORTEST + Math.random() * (bound - SHORTEST);
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
		socket?.close();
	}

	become(state) {
		if (this.state === state) return;
		this.state = state;
		this.onState(state);
	}
}
