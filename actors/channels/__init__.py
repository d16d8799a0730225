"""The channels: who follows them, in which order they tell, and what they tell of the time before."""
