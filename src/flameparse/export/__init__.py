"""Document to foreign formats, one module each."""
