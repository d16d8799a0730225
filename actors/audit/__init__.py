"""The audit: what is told to its keeper, and how it is written down."""
