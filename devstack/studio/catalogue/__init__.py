"""The catalogue: every kind of module that local Studio knows, and what each does."""
