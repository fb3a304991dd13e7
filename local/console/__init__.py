"""The console of the laptop cloud: everything under `/_local/`."""

from local.console.routes import Console

__all__ = ["Console"]
