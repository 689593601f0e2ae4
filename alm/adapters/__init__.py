"""One file per backend. Raw JSON and SDK types end here; our types leave."""
