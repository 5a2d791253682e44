"""The version, as a literal: start-up must not read package metadata."""

__version__ = "0.1.0"
