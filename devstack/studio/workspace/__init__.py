"""The workspace API of Studio, `/api/...`: workspaces, their assets, their experiments.

Read `api` for the map. Assets (datasets, trained models, transforms, custom modules) and workspaces
are documents in the store; the content of assets is kept in files by digest.
"""
