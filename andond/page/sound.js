/* The sound of a call that nobody has taken over: it repeats until somebody does.

   A browser lets no page sound before somebody has touched it: until then the page says so. To silence is not to
   acknowledge: it holds for the calls that are there, the next one sounds. */

const EVERY = 2500; // ms
const LOUD = 0.25;
const TONES = { critical: [880, 660, 880, 660], high: [880, 880], medium: [660], low: [440] };
const LENGTH = 0.18; // seconds of a tone

/** Sounds for the calls it is told; `onChange` is called when it can, or cannot, be heard. */
export class Sound {
	isWanted = false; // whether something would be heard if it could
	silenced = new Set();
	last = -EVERY;

	constructor(onChange) {
		this.onChange = onChange;
		this.context = "AudioContext" in window ? new AudioContext() : null;
		this.context?.addEventListener("statechange", onChange);
		for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => this.context?.resume(), { capture: true });
	}

	/** Whether the browser lets it be heard. */
	get isFree() {
		return this.context?.state === "running";
	}

	/** Sound for `calls`, those that wait. */
	sound(calls) {
		const ids = new Set(calls.map(({ id }) => id));
		for (const id of this.silenced) if (!ids.has(id)) this.silenced.delete(id);
		const loud = calls.filter(({ id }) => !this.silenced.has(id));
		this.isWanted = loud.length > 0;
		const at = performance.now();
		if (!loud.length || !this.isFree || at - this.last < EVERY) return;
		this.last = at;
		const worst = Object.keys(TONES).find((priority) => loud.some((call) => call.priority === priority));
		TONES[worst].forEach((pitch, number) => this.tone(pitch, number * LENGTH * 1.4));
	}

	/** Be silent for `calls`, or sound for them again. */
	silence(calls) {
		const all = calls.every(({ id }) => this.silenced.has(id));
		for (const { id } of calls) all ? this.silenced.delete(id) : this.silenced.add(id);
	}

	tone(pitch, after) {
		const { context } = this;
		const begin = context.currentTime + after;
		const source = new OscillatorNode(context, { type: "triangle", frequency: pitch });
		const volume = new GainNode(context, { gain: 0 });
		// Without a slope a speaker cracks.
		volume.gain.setTargetAtTime(LOUD, begin, 0.01);
		volume.gain.setTargetAtTime(0, begin + LENGTH, 0.02);
		source.connect(volume).connect(context.destination);
		source.start(begin);
		source.stop(begin + LENGTH + 0.2);
	}
}
