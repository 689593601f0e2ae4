"""The HTTP API: `routes.ROUTES` is its map, `responding.respond` the way in."""
