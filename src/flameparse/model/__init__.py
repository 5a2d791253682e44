"""The one intermediate representation: interned tables that know no format, no I/O and no rendering."""
