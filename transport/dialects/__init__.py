"""Dialects: how each family of clients is spoken to."""
