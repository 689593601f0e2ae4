"""One file per stage. A stage looks, decides, acts once and returns an outcome."""
