"""Records that are acknowledged and not yet in a data file: segments on disk, group commit, drain.

A batch is written to a segment and synced before its sender hears of it; every scan reads what waits
there beside the data files; the drainer moves it into them, once. `FORMAT.md` says how a segment lies on disk.

- `segment`: the file, its frames and their checks; one segment is written by one process
- `waiting`: what of a table waits, as any process reads it
- `writer`: group commit of batches; `recovery`: what an earlier process left
- `ledger`: the batches of the last 24 hours and the last number of each numbered sender
- `drain`: from segments to data files
"""
