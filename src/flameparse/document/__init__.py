"""The result of a fold: its tables, the msgpack file that holds them, and what is computed from them."""
