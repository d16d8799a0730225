"""The version of andond, where the packaging tools and the daemon both find it."""

VERSION = "0.1.0"
