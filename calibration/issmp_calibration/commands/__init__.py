"""Subcommands that this package adds to ``issmp-cat``."""
