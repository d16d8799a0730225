/* The live page: what arrives is taken into the model, what changed is shown.
 *
 * Rules of this file: it only puts the others together. However fast events come, the page is drawn a few times a
 * second, at once for a critical event, and not at all while nobody looks.
 */
import * as clock from "./clock.js";
import { counted, find, joined, put, set } from "./elements.js";
import { Events, summary } from "./events.js";
import { showChain, showGateway } from "./figures.js";
import { Link, LIVE, LOST } from "./link.js";
import { showAlarms, showMachines } from "./machines.js";
import { Model } from "./model.js";
import { remark } from "./shapes.js";
import { showStatus } from "./status.js";

const CHANNELS = ["equipment/*", "readings/*", "alarms/*", "andon/*", "sources/*", "events/*", "host/metrics", "chain/*", "portal/*"];
const LATEST = 100; // of each channel, when the link opens
const PAUSE = 200; // ms between two drawings
const TICK = 250; // ms
const POLL = 2; // seconds
const ANSWER = 5000; // ms
const SPEAK = 2; // seconds between two words to a screen reader
const STEADY = 3; // beats after which silence means something

const model = new Model();
const events = new Events(model, () => draw("events"));
const began = clock.mono();
let sources = [];
let started = null;
let drawn = 0;
let isPlanned = false;
let polled = -POLL;
let ticked = 0;
let spoken = -SPEAK;

const address = new URL(`stream?channel=${CHANNELS.join("&channel=")}&latest=${LATEST}`, document.baseURI);
address.protocol = address.protocol.replace("http", "ws");
const link = new Link(address.href, receive, showLink);

function receive(message) {
  const event = model.take(parsed(message));
  if (event === null) return;
  const isNews = clock.now() - event.at < clock.mono() - link.opened;
  events.came += 1;
  if (isNews && event.type === "host.metrics" && model.host.beat.hits >= STEADY) link.interval = model.host.beat.mean;
  if (isNews && event.priority === "critical") speak(`${event.type} ${event.path} ${summary(event)}`);
  plan(event.priority === "critical" ? 0 : PAUSE);
}

function parsed(message) {
  try {
    return JSON.parse(message);
  } catch {
    return null; // no event, so nothing that could be shown
  }
}

function plan(pause) {
  if (isPlanned) return;
  isPlanned = true;
  setTimeout(() => requestAnimationFrame(drawChanged), Math.max(0, drawn + pause - performance.now()));
}

function draw(...parts) {
  for (const part of parts) model.dirty.add(part);
  plan(PAUSE);
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
}

function showLink(state) {
  const [meaning, word] = { live: ["good", "live"], lost: ["bad", "link lost"], connecting: ["waiting", "connecting"] }[state];
  const [sign, words] = find("link").children;
  document.documentElement.dataset.link = state;
  set(find("link"), "data-state", state === LOST ? "critical" : meaning);
  remark(sign, meaning);
  put(words, word);
  if (state === LOST) speak("The link to the gateway is lost. What is shown is old.");
}

function showBanner() {
  const { state, heard, wait } = link;
  find("stale").hidden = state === LIVE;
  const ago = clock.span(clock.mono() - (heard ?? began));
  put(find("stale-words"), heard === null ? `No link yet, since ${ago}` : `No link for ${ago}: what is shown is old`);
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
    return await answer.json();
  } catch {
    return null; // the ages that go on to grow say it
  }
}

function takeStatus(status) {
  if (started !== null && status.started !== started) {
    model.clear(); // another life of the gateway: it tells anew what it knows
    link.connect();
  }
  started = status.started;
  sources = Array.isArray(status.sources) ? status.sources : [];
  showStatus(status, clock.now());
  for (const old of document.querySelectorAll("[data-status]")) clock.stamp(old, clock.now(), 3 * POLL);
  draw("machines");
}

function tick() {
  link.tick();
  if (document.hidden) return;
  showBanner();
  const at = clock.mono();
  if (at - polled >= POLL) poll();
  if (at - ticked < 1) return;
  ticked = at;
  clock.tickAll();
  put(find("clock"), clock.timeOfDay(clock.now()));
  const { size } = model.alarms;
  document.title = joined([link.state !== LIVE && "no link", size && counted(size, "alarm"), find("node").textContent]);
  draw("machines", "alarms", "gateway");
}

find("retry").addEventListener("click", () => link.connect());
document.addEventListener("visibilitychange", () => document.hidden || tick());
showLink(link.state);
tick();
setInterval(tick, TICK);
