"""Ground floor: errors, KQL types, clock, paths. Imports nothing else of the project and no engine."""
