"""Call tree to one self-contained SVG flame graph: options, regrouping, layout, then writing."""

from flameparse.render.svg.options import SvgOptions, parse_name_attributes
from flameparse.render.svg.picture import SvgPicture, render_tree, svg_chunks

__all__ = ["SvgOptions", "SvgPicture", "parse_name_attributes", "render_tree", "svg_chunks"]
