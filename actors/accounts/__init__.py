"""The local users: who keeps them, who waits to be looked at, and who is told that tokens were taken back."""
