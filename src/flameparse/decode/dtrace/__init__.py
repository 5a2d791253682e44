"""DTrace's text: aggregated stacks, stacks as they were taken, and how the reference collapsers read them."""
