"""Frames that are addresses get the names their symbols give them; one module per place names come from."""
