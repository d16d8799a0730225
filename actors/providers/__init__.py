"""The providers that people sign in with: their keys, what is asked of them, who is signed in on the page."""
