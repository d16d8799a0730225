/* The live page: what arrives goes into the model, what changed is shown.

   It draws a few times a second however fast events come, at once for a critical one, never while nobody looks. */
import { Account, restoreView } from "./account.js";
import { Board } from "./board.js";
import * as clock from "./clock.js";
import { counted, find, joined, put, set } from "./elements.js";
import { Events, summary } from "./events.js";
import { showChain, showGateway } from "./figures.js";
import { OPEN } from "./floor.js";
import { Link } from "./link.js";
import { showLines } from "./lines.js";
import { showAlarms, showMachines } from "./machines.js";
import { Model } from "./model.js";
import { mark, tell } from "./shapes.js";
import { Sound } from "./sound.js";
import { showStatus } from "./status.js";

const CHANNELS = { // and how many of the newest come when the link opens
	"equipment/*": 10, "readings/*": 100, "alarms/*": 100, "andon/*": 100, "sources/*": 10, "events/*": 50,
	"host/*": 10, "chain/*": 20, "portal/*": 1, "oee/*": 1, "downtime/*": 10, "escalations/*": 20, "jobs/*": 10,
	"production/*": 1, "quality/*": 10, "changeover/*": 10,
};
const PAUSE = 200; // ms between two drawings, at least
const SHARE = 5; // the part of the time that drawing may take
const TICK = 250; // ms
const POLL = 2; // seconds
const QUIET_POLL = 5; // seconds, where the status is not told
const ANSWER = 5000; // ms
const TOLD = 2000; // ids
const SETTLE = 3; // seconds after which a new link has told what there is
const LOST = "The link to the gateway is lost. What is shown is old.";
const SPEAK = 2; // seconds between two announcements

const model = new Model();
const events = new Events(model, () => draw("events"));
let sources = [];
let chains = [];
let started = null;
let sure = 0; // when it was last that one which had started
let title = "";
let drawn = 0;
let pause = PAUSE;
let isPlanned = false;
let polled = -POLL;
let ticked = 0;
let spoken = -SPEAK;
let told = new Set(); // ids of events that were told to be shown
let scroll = 0; // how far down one was before the sign-in

const address = new URL("stream", document.baseURI);
address.protocol = address.protocol.replace("http", "ws");
const link = new Link(address.href, followed, receive, showLink);
const sound = new Sound(() => draw("board"));
const account = new Account(letIn);
const board = new Board(model.floor, link, account, sound, () => draw("board"));

// What may not be seen is not asked for.
function followed() {
	return Object.entries(CHANNELS).filter(([channel]) => account.sees(channel.split("/")[0]));
}

function receive(message) {
	const event = model.take(message);
	// A gap may hide what is open.
	if (message.push && /^(alarms|andon)/.test(message.channel)) model.floor.isTold = false;
	if (event === null) return;
	const isNews = clock.now() - event.at < clock.mono() - link.opened;
	events.came += 1;
	if (isNews && event.priority === "critical" && !event.isPeriodic) speak(`${event.type} ${event.path} ${summary(event)}`);
	plan(event.priority === "critical" ? 0 : pause);
}

function plan(wait) {
	if (isPlanned) return;
	isPlanned = true;
	setTimeout(() => requestAnimationFrame(drawChanged), Math.max(0, drawn + wait - performance.now()));
}

function draw(...parts) {
	for (const part of parts) model.dirty.add(part);
	plan(pause);
}

function drawChanged() {
	const { dirty } = model;
	isPlanned = false;
	drawn = performance.now();
	model.dirty = new Set();
	if (dirty.has("machines") || dirty.has("alarms")) showMachines(model, sources);
	if (dirty.has("alarms")) showAlarms(model);
	if (dirty.has("board")) board.show();
	if (dirty.has("board") || dirty.has("lines")) showLines(model.floor, openCalls());
	if (dirty.has("events")) events.show();
	if (dirty.has("gateway")) showGateway(model.host);
	if (dirty.has("chain")) showChain(model, chains);
	if (dirty.has("board") && !document.hidden) show();
	pause = Math.max(PAUSE, SHARE * (performance.now() - drawn));
}

const openCalls = () => model.floor.shown.filter(({ state }) => OPEN.includes(state));

// A person can see it: the gateway is told once for each event.
function show() {
	const fresh = board.visible.filter((id) => !told.has(id));
	for (const id of fresh) told.add(id);
	if (told.size > TOLD) told = new Set([...told].slice(-TOLD / 2));
	link.show(fresh);
}

function showLink(state) {
	const [meaning, word] = { live: ["good", "live"], lost: ["bad", "link lost"], connecting: ["waiting", "connecting"] }[state];
	document.documentElement.dataset.link = state;
	tell("link", meaning, word, state === "lost" ? "critical" : meaning);
	model.floor.isTold = false;
	polled = -POLL;
	if (state === "live") {
		if (find("spoken").said === LOST) put(find("spoken"), "The link to the gateway is back.");
		board.denied.clear();
		if (scroll) setTimeout((y) => scrollTo(0, y), SETTLE * 100, scroll);
		scroll = 0;
	}
	draw("board", "alarms", "machines");
	showBanner();
	if (state !== "lost" || link.isHeld) return;
	// It may be that the sign-in has ended: the gateway says so where it can be reached.
	account.look();
	if (account.reads) speak(LOST);
}

// Who may read nothing waits for a sign-in; who may read something else now begins a new link.
function letIn(reads) {
	if (!reads) return link.hold();
	link.connect();
	// Which life of the gateway it is must be known before anything is told of it.
	poll();
}

function showBanner() {
	const { state, heard, wait } = link;
	find("stale").hidden = state !== "lost";
	put(find("stale-words"), `No link for ${clock.span(clock.mono() - heard)}: what is shown is old`);
	put(find("stale-plan"), wait === null ? "waiting for an answer" : `next try in ${Math.ceil(wait)} s`);
}

function speak(words) {
	if (clock.mono() - spoken < SPEAK) return;
	spoken = clock.mono();
	put(find("spoken"), words);
}

async function poll() {
	const sent = (polled = clock.mono());
	if (!account.reads) return;
	if (!account.may("status.read")) return void pollAccount(sent);
	const status = await fetched("statusz", () => account.look());
	if (status === null) return;
	clock.learn(clock.moment(status.now), sent, clock.mono());
	// A gateway without a disk knows nothing of what was before it.
	const hasDisk = Boolean(status.journal?.path);
	takeStatus(status, sent, hasDisk);
	if (!model.floor.isTold && link.state === "live") ask(hasDisk || started === status.started);
	askOee();
}

// Not everybody is told how the gateway is; the calls are there all the same.
async function pollAccount(sent) {
	polled = sent + QUIET_POLL - POLL;
	const said = await account.look();
	if (!said?.reads) return;
	clock.learn(clock.moment(said.now), sent, clock.mono());
	if (!model.floor.isTold && link.state === "live") ask(said.keeps);
	askOee();
}

// Events tell what changes; what is open, however long, is in the lists.
async function ask(keeps) {
	const { opened } = link;
	const { changes } = model;
	const [alarms, calls, site] = await Promise.all([
		account.sees("alarms") ? fetched("api/v1/alarms?limit=1000") : { items: [], total: 0 },
		account.sees("andon") ? fetched("api/v1/andon/board") : [],
		account.sees("equipment") ? fetched("api/v1/equipment?level=site&limit=1") : null,
	]);
	title = site?.items[0]?.title ?? "";
	if (!alarms || !calls || link.opened !== opened || link.state !== "live") return;
	// What came meanwhile is newer than the list: it is asked for again.
	if (changes !== model.changes) return;
	model.know(alarms, keeps);
	model.floor.know(calls);
	draw("board", "machines");
}

// Few lines are told figures of their own: one at a time is asked for.
async function askOee() {
	const line = model.floor.unfigured;
	if (!line || !account.sees("oee")) return;
	line.asked = clock.mono();
	const oee = await fetched(`api/v1/oee?equipment=${encodeURIComponent(line.path)}`);
	if (!oee || line.isFed) return;
	Object.assign(line, { oee, oeeAt: clock.now() });
	draw("lines");
}

async function fetched(address, onDenied = () => {}) {
	try {
		const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER) });
		if (answer.status === 403) onDenied();
		return answer.ok ? await answer.json() : null;
	} catch {
		return null; // the ages that go on to grow say it
	}
}

function takeStatus(status, sent, hasDisk) {
	started ??= status.started;
	if (started === status.started) sure = sent;
	// What this life of the gateway knows comes with the new link, however old it is; only then the rest is past.
	else if (model.floor.isTold && link.opened > sure && clock.mono() - link.opened > SETTLE) {
		model.forget(link.opened, hasDisk ? [] : [model.floor.calls]);
		started = status.started;
		sure = sent;
	}
	({ sources, chains } = status);
	model.compare(sources);
	showStatus(status, clock.now(), title);
	for (const old of document.querySelectorAll("[data-status]")) clock.stamp(old, clock.now(), 3 * POLL);
	draw("machines", "chain");
}

function tick() {
	link.tick();
	if (link.heard !== null) model.heard = clock.now() - (clock.mono() - link.heard);
	sound.sound(model.floor.waiting);
	if (document.hidden) return;
	showBanner();
	const at = clock.mono();
	if (at - polled >= POLL) poll();
	if (at - ticked < 1) return;
	ticked = at;
	for (const old of document.querySelectorAll(".asof .age")) clock.stamp(old, model.heard);
	clock.tickAll();
	put(find("clock"), clock.timeOfDay(clock.now()));
	const { size } = model.alarms;
	const { waiting } = model.floor;
	document.title = joined([link.state !== "live" && "no link", waiting.length && counted(waiting.length, "call"), chains.some(({ state }) => state === "halted") && "halted", size && counted(size, "alarm"), find("node").textContent]);
	draw("board", "machines", "alarms", "gateway");
}

find("retry").addEventListener("click", () => link.connect());
document.addEventListener("visibilitychange", () => document.hidden || tick());
for (const chip of document.querySelectorAll(".chip")) chip.prepend(mark("waiting"));
showLink(link.state);
scroll = restoreView();
tick();
polled = clock.mono();
// Where nobody says who may be let in the link finds out when there is a gateway.
account.look().then((said) => said || account.told || link.connect());
setInterval(tick, TICK);
