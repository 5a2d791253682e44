"""Cursors over borrowed bytes: hashing, newlines, numbers."""
