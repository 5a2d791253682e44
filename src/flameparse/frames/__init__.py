"""What a frame is and what it is called: its kind from its module, its printed name from its symbol."""
