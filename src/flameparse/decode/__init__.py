"""Bytes to Profile, one module per format; nothing here opens a file."""
