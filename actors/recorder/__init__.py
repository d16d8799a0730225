"""The recorder: what is urgent is on disk before anybody is told."""
