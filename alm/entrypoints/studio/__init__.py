"""What the command line and the page both see of Studio: things found by name, nodes as rows."""
