"""One module an endpoint: read the request, call the workspace, write the answer; no logic."""
