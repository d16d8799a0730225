"""HTTP handlers, one file per resource."""

from andond.api.routing import build_routes

__all__ = ["build_routes"]
