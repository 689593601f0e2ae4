"""Would Azure index and invoke this app the same way? Asked of Microsoft's own worker library."""
