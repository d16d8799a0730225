/* The live page: what arrives goes into the model, what changed is shown.

   It only puts the others together. It draws a few times a second however fast events come, at once for a critical
   one, and not at all while nobody looks. */
import * as clock from "./clock.js";
import { counted, find, joined, put, set } from "./elements.js";
import { Events, summary } from "./events.js";
import { showChain, showGateway } from "./figures.js";
import { Link } from "./link.js";
import { showAlarms, showMachines } from "./machines.js";
import { Model } from "./model.js";
import { mark, remark } from "./shapes.js";
import { showStatus } from "./status.js";

const CHANNELS = { // and how many of the newest come when the link opens
	"equipment/*": 10, "readings/*": 100, "alarms/*": 100, "andon/*": 100, "sources/*": 10, "events/*": 50,
	"host/metrics": 60, "chain/*": 20, "portal/*": 1,
};
const PAUSE = 200; // ms between two drawings, at least
const SHARE = 5; // the part of the time that drawing may take
const TICK = 250; // ms
const POLL = 2; // seconds
const ANSWER = 5000; // ms
const SPEAK = 2; // seconds between two announcements
const STEADY = 3; // beats after which silence means something

const model = new Model();
const events = new Events(model, () => draw("events"));
let sources = [];
let started = null;
let drawn = 0;
let pause = PAUSE;
let isPlanned = false;
let polled = -POLL;
let ticked = 0;
let spoken = -SPEAK;

const followed = Object.entries(CHANNELS).map(([channel, latest]) => `channel=${channel}&latest=${latest}`);
const address = new URL(`stream?${followed.join("&")}`, document.baseURI);
address.protocol = address.protocol.replace("http", "ws");
const link = new Link(address.href, receive, showLink);

function receive(message) {
	const event = model.take(JSON.parse(message));
	if (event === null) return;
	const isNews = clock.now() - event.at < clock.mono() - link.opened;
	events.came += 1;
	if (isNews && event.type === "host.metrics" && model.host.beat.hits >= STEADY) link.interval = model.host.beat.mean;
	if (isNews && event.priority === "critical") speak(`${event.type} ${event.path} ${summary(event)}`);
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
	if (dirty.has("events")) events.show();
	if (dirty.has("gateway")) showGateway(model.host);
	if (dirty.has("chain")) showChain(model);
	pause = Math.max(PAUSE, SHARE * (performance.now() - drawn));
}

function showLink(state) {
	const [meaning, word] = { live: ["good", "live"], lost: ["bad", "link lost"], connecting: ["waiting", "connecting"] }[state];
	const [sign, words] = find("link").children;
	document.documentElement.dataset.link = state;
	set(find("link"), "data-state", state === "lost" ? "critical" : meaning);
	remark(sign, meaning);
	put(words, word);
	showBanner();
	if (state === "lost") speak("The link to the gateway is lost. What is shown is old.");
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
	const status = await fetched("statusz");
	if (status === null) return;
	clock.learn(clock.moment(status.now), sent, clock.mono());
	link.answered();
	takeStatus(status);
}

async function fetched(address) {
	try {
		const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER) });
		return answer.ok ? await answer.json() : null;
	} catch {
		return null; // the ages that go on to grow say it
	}
}

function takeStatus(status) {
	if (started !== status.started) model.forget(started ? clock.moment(status.started) : 0);
	started = status.started;
	sources = status.sources;
	model.compare(sources);
	showStatus(status, clock.now());
	for (const old of document.querySelectorAll("[data-status]")) clock.stamp(old, clock.now(), 3 * POLL);
	draw("machines");
}

function tick() {
	link.tick();
	if (link.state === "live") model.heard = clock.now();
	if (document.hidden) return;
	showBanner();
	const at = clock.mono();
	if (at - polled >= POLL) poll();
	if (at - ticked < 1) return;
	ticked = at;
	clock.tickAll();
	put(find("clock"), clock.timeOfDay(clock.now()));
	const { size } = model.alarms;
	document.title = joined([link.state !== "live" && "no link", size && counted(size, "alarm"), find("node").textContent]);
	draw("machines", "alarms", "gateway");
}

find("retry").addEventListener("click", () => link.connect());
document.addEventListener("visibilitychange", () => document.hidden || tick());
for (const chip of document.querySelectorAll(".chip")) chip.prepend(mark("waiting"));
showLink(link.state);
tick();
setInterval(tick, TICK);
