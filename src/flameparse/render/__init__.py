"""Documents to pictures: SVG and HTML flame graphs; the only place that escapes."""
